/* The post office itself, without post_weigh and post_lambda. */
#include <wchar.h>
#include "post.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct post {
    char town[32];
    struct letter last;
    unsigned int letters;
    char data[64];
};

post *post_open(const char *town, unsigned int flags)
{
    if (!town || flags) {
        errno = flags ? EACCES : EINVAL;
        return 0;
    }
    post *p = calloc(1, sizeof(*p));
    strncpy(p->town, town, sizeof(p->town) - 1);
    return p;
}

void post_close(post *p) { free(p); }

int post_send(post *p, const struct letter *letters, unsigned int count, uint32_t *number)
{
    for (unsigned int i = 0; i < count; i++) {
        p->last = letters[i];
        if (number)
            number[i] = ++p->letters;
    }
    return p->letters;
}

int post_each(post *p, post_visit *visit, void *data)
{
    return visit ? visit(&p->last, p->town, data) : -1;
}

bool post_write(post *p, const void *data, uint16_t size)
{
    if (size > sizeof(p->data)) {
        errno = ENOSPC;
        return false;
    }
    memcpy(p->data, data, size);
    return true;
}

int post_read(post *p, void *data, uint32_t size)
{
    memcpy(data, p->data, size);
    return size;
}

const char *post_town(post *p) { return p->town[0] ? p->town : 0; }

char *post_copy(post *p, uint8_t *key)
{
    p->town[0] ^= *key;
    return strdup(p->town);
}

char **post_towns(post *p, unsigned int *count)
{
    char **towns = malloc(sizeof(*towns));
    towns[0] = p->town;
    *count = 1;
    return towns;
}

int post_print(post *p, char *line, uint32_t size, const char *format, ...)
{
    va_list more;
    va_start(more, format);
    int length = vsnprintf(line, size, format, more);
    va_end(more);
    return p ? length : -length;
}

double post_price(struct letter letter, float rate, int64_t discount, enum post_speed speed)
{
    return letter.weight * rate * (speed + 1) - discount;
}

enum post_speed post_hurry(enum post_speed speed,
                           enum post_speed (*choose)(enum post_speed speed, bool is_late))
{
    return choose(speed, true) + 1;
}

uint64_t post_weight(post *p, unsigned int count)
{
    if (count > p->letters)
        errno = ERANGE;
    return count > p->letters ? 0 : count * p->last.weight;
}

struct letter post_last(const post *p) { return p->last; }

struct letter *post_find(post *p, post_code to) { return p->last.to == to ? &p->last : 0; }

void *post_walk(post *p, void *(*step)(post *p, struct letter letter, double price,
                                       int (*next)(void)))
{
    return step(p, p->last, 0.5, rand);
}

int (*post_next(post *p))(void) { return p ? rand : 0; }

int (*post_grid(post *p, int (**grid)[4]))[4] { return p ? *grid : 0; }

int post_wait(volatile int *ready)
{
    for (int i = 0; i < 1000 && !*ready; i++)
        usleep(1000);
    return *ready - 1;
}

int post_swap(post **one, post **other)
{
    post *kept = *one;
    *one = *other;
    *other = kept;
    return 0;
}

char *post_after(const char *text, const char *characters)
{
    char *found = strpbrk(text, characters);
    return found ? found + 1 : 0;
}

long post_number(const char *text, const char **rest) { return strtol(text, (char **)rest, 10); }

int post_count(const char *const *texts)
{
    int count = 0;
    while (texts[count] && *texts[count])
        count++;
    return count;
}

int post_steps(post_step *steps[], int number)
{
    while (*steps)
        number = (*steps++)(number);
    return number;
}

int post_two_steps(int (*const steps[2])(int number), int number)
{
    return steps[1](steps[0](number));
}

static post_step *last;

int post_add(int count, ...)
{
    va_list steps;
    int sum = 0;
    if (!count)
        return last(1);
    va_start(steps, count);
    while (count--) {
        last = va_arg(steps, post_step *);
        sum += last(1);
    }
    va_end(steps);
    return sum;
}

unsigned int post_wide(const wchar_t *text, wchar_t *copy)
{
    return wcslen(wcscpy(copy, text));
}
