struct node {
    struct node *next;
    void *data;
    const char *name;
    int (*compare)(const void *, const void *);
    struct unknown *opaque;
};
