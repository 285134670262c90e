/* A library whose structs have a pointer of every kind: a graph, and who walks it. */
#include <stddef.h>
#include <stdint.h>

enum colour { COLOUR_RED, COLOUR_GREEN = 5 };
struct point { int x, y; };

struct node {
    struct node *next;
    const char *name;
    void *data;
    uint32_t *counts;
    struct point *where;
    enum colour colour;
};

typedef int graph_add(int a, uint32_t b);
typedef enum colour (*graph_pick)(enum colour colour);
struct walk {
    graph_add *add;
    void (*visit)(const struct point *p, const char *name, struct walk *self, void *data);
    graph_pick pick;
    int (*by_value)(struct point p);
};

/* One function's type, as a parameter and as a member. */
struct place;
typedef enum colour graph_meet(enum colour colour, struct walk *walk, int *count, char **names,
                               struct place *place, const struct holder *holder);
struct meeting { graph_meet *meet; };
int graph_meet_once(graph_meet *meet, struct walk *walk);
int graph_meet_twice(struct meeting *meeting, struct walk *walk);
struct place *graph_place(void);

struct holder { struct walk walks[2]; struct node node; };
typedef struct tight tight_t;
typedef struct below *below_t;
struct __attribute__((packed)) tight {
    char c;
    struct point *where;
    graph_add *add;
    enum colour colour;
    const tight_t *next;
    below_t below;
    struct below **all;
};
struct below { int x; tight_t *in; };

int graph_added(const struct walk *walk, int a, uint32_t b);
int graph_walk(struct walk *walk, void *data);
/* The bytes of all names, from a node on. */
int graph_names(const struct node *node);
int graph_sum(const struct node *node);
int graph_tight(const struct tight *tight);
/* Keep a copy of a walk, and use that. */
void graph_keep(struct walk walk);
void graph_keep_more(int count, ...);
int graph_kept(int a, uint32_t b);
