#define VM_EVENT_INTERFACE_VERSION 7
#define VM_KIND_A 1
#define VM_KIND_B 2
enum first { ONE_A, ONE_B };
enum second { TWO_A, TWO_B };
enum third { THREE_A, THREE_B };
typedef unsigned number_t;
struct pair { int first, second; };
