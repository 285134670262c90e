#define VM_EVENT_INTERFACE_VERSION 1
#define PAIR_HEX 0xE+1
#define PAIR_NEXT 0xe-PAIR_HEX
#define PAIR_VERSION 1.2.3
#define PAIR_GROUPS 1'000
#define PAIR_OCTAL 08
#define PAIR_UTF_8 u8'a'
#define PAIR_SUM (0xE + 1)
#define PAIR_TEN 1e+1
#define PAIR_LETTER 'e'+1
struct pair { uint32_t first; uint64_t second; };
