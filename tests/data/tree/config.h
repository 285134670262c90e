/* Whoever includes it says how wide a word is. */
#ifndef CONFIG_H
#define CONFIG_H

#ifdef CONFIG_WIDE
typedef uint64_t word_t;
#else
typedef uint32_t word_t;
#endif

struct config { word_t word; };
struct config_list { struct config *first; };

#endif
