struct pair { int first; };
int pair_open(struct pair *pair);
