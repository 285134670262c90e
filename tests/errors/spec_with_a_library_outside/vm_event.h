struct pair { int first; };
