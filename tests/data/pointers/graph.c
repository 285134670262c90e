#include "graph.h"
#include <stdarg.h>
#include <string.h>

int graph_added(const struct walk *walk, int a, uint32_t b) { return walk->add(a, b); }

int graph_walk(struct walk *walk, void *data)
{
    struct point point = { 3, 4 };
    walk->visit(&point, "here", walk, data);
    return walk->pick(COLOUR_GREEN);
}

int graph_names(const struct node *node)
{
    int bytes = 0;
    for (; node; node = node->next)
        bytes += strlen(node->name);
    return bytes;
}

int graph_sum(const struct node *node)
{
    return node->counts[0] + node->counts[1] + node->where->x + ((char *)node->data)[0];
}

int graph_tight(const struct tight *tight)
{
    return tight->where->x + tight->add(1, 2) + tight->colour;
}

static int meet(graph_meet *meet, struct walk *walk)
{
    int count = 1;
    char *names[] = { "a", 0 };
    struct holder holder = { .node.colour = COLOUR_GREEN };
    return meet(COLOUR_GREEN, walk, &count, names, graph_place(), &holder) + count;
}

int graph_meet_once(graph_meet *function, struct walk *walk) { return meet(function, walk); }
int graph_meet_twice(struct meeting *meeting, struct walk *walk)
{
    return meet(meeting->meet, walk) + meet(meeting->meet, walk);
}

struct place *graph_place(void) { return (struct place *)0x10; }

static struct walk kept;

void graph_keep(struct walk walk) { kept = walk; }

void graph_keep_more(int count, ...)
{
    va_list walks;
    va_start(walks, count);
    while (count--)
        kept = va_arg(walks, struct walk);
    va_end(walks);
}

int graph_kept(int a, uint32_t b) { return kept.add(a, b); }
