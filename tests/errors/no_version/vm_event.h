struct pair { uint32_t first; };
