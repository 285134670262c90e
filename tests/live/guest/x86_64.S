/*
 * A guest that does again and again, in the same order, what a monitor can watch.  It is a PVH
 * kernel: Xen enters it in 32-bit protected mode, flat, without paging.  A round:
 *
 *   1. CR4 toggles its bit 3 (DE)
 *   2. CR3 goes to 0x5000 or 0x6000, by turns
 *   3. a request of the guest's own: hypercall hvm_op, HVMOP_guest_request_vm_event
 *   4. MSR 0x174 (SYSENTER_CS) is given the round's number, counted from 1
 *   5. MSR 0xc0000082 (LSTAR) is given 0x1abcde000
 *   6. CPUID of leaf 0x12345, subleaf 7
 *   7. one instruction is single-stepped: a debug exception
 *   8. descriptor tables: sgdt, lidt, sldt
 *
 * What CPUID gave is written to the debug port, and so to Xen's console, when it changes,
 * and so is the number of debug exceptions that arrived by then.
 */

#define SYSENTER_CS 0x174
#define LSTAR       0xc0000082
#define DEBUG_PORT  0xe9

#define HYPERCALL_hvm_op             34
#define HVMOP_guest_request_vm_event 24

#define CODE 0x08
#define DATA 0x10

/* The entry point, as Xen looks for it. */
    .section .note.Xen, "a", @note
    .align 4
    .long 4, 4, 18              /* sizes of name and value; XEN_ELFNOTE_PHYS32_ENTRY */
    .asciz "Xen"
    .long _start

    .text
    .code32
    .globl _start
_start:
    cld
    lgdt gdt_register
    ljmp $CODE, $1f
1:  mov $DATA, %ax
    mov %ax, %ds
    mov %ax, %es
    mov %ax, %ss
    mov $stack_top, %esp
    mov $debug_exception, %eax
    mov %ax, idt + 8            /* vector 1; bits 31:16 of the address are beyond the rest */
    shr $16, %eax
    mov %ax, idt + 14
    lidt idt_register
    xor %ebp, %ebp              /* the round */

    .globl round
round:
    inc %ebp

    mov %cr4, %eax
    xor $8, %eax
    .globl write_cr4
write_cr4:
    mov %eax, %cr4

    mov %cr3, %eax
    cmp $0x5000, %eax
    mov $0x5000, %eax
    jne 1f
    mov $0x6000, %eax
1:
    .globl write_cr3
write_cr3:
    mov %eax, %cr3

    mov $HYPERCALL_hvm_op, %eax
    mov $HVMOP_guest_request_vm_event, %ebx
    xor %ecx, %ecx
    .globl guest_request
guest_request:
    vmmcall

    mov $SYSENTER_CS, %ecx
    mov %ebp, %eax
    xor %edx, %edx
    .globl write_sysenter_cs
write_sysenter_cs:
    wrmsr

    mov $LSTAR, %ecx
    mov $0xabcde000, %eax
    mov $1, %edx
    .globl write_lstar
write_lstar:
    wrmsr

    mov $0x12345, %eax
    mov $7, %ecx
    .globl ask_cpuid
ask_cpuid:
    cpuid
    .globl after_cpuid
after_cpuid:
    mov $answer, %edi
    mov %eax, %esi
    xor (%edi), %esi
    stosl
    mov %ebx, %eax
    stosl
    mov %ecx, %eax
    stosl
    mov %edx, %eax
    stosl
    test %esi, %esi
    jz 1f
    call report
1:
    pushf
    pushf
    orl $0x100, (%esp)          /* TF */
    popf
    .globl stepped
stepped:
    popf
    .globl after_step
after_step:

    .globl store_gdt
store_gdt:
    sgdt scratch
    .globl load_idt
load_idt:
    lidt idt_register
    .globl store_ldt
store_ldt:
    sldt scratch

    mov $4000000, %ecx
1:  dec %ecx
    jnz 1b
    jmp round

/* Counts; the single step is over, since its last instruction cleared TF. */
debug_exception:
    incl exceptions
    iret

/* "guest: cpuid 11111111 22222222 33333333 44444444 exceptions 00000000" */
report:
    mov $text_cpuid, %esi
    call put_text
    mov answer, %edx
    call put_number
    mov answer + 4, %edx
    call put_number
    mov answer + 8, %edx
    call put_number
    mov answer + 12, %edx
    call put_number
    mov $text_exceptions, %esi
    call put_text
    mov exceptions, %edx
    call put_number
    mov $'\n', %al
    outb %al, $DEBUG_PORT
    ret

put_text:
    lodsb
    test %al, %al
    jz 1f
    outb %al, $DEBUG_PORT
    jmp put_text
1:  ret

/* " " and %edx in hexadecimal */
put_number:
    mov $' ', %al
    outb %al, $DEBUG_PORT
    mov $8, %ecx
1:  rol $4, %edx
    mov %edx, %eax
    and $0xf, %eax
    movb digits(%eax), %al
    outb %al, $DEBUG_PORT
    loop 1b
    ret

    .data
    .align 8
gdt:
    .quad 0
    .quad 0x00cf9b000000ffff    /* CODE: flat, 32 bits */
    .quad 0x00cf93000000ffff    /* DATA: flat */
gdt_register:
    .word . - gdt - 1
    .long gdt
    .align 8
idt:
    .quad 0
    .word 0, CODE, 0x8e00, 0    /* a 32-bit interrupt gate */
idt_register:
    .word idt_register - idt - 1
    .long idt
answer:
    .long 0, 0, 0, 0
exceptions:
    .long 0
text_cpuid:
    .asciz "guest: cpuid"
text_exceptions:
    .asciz " exceptions"
digits:
    .ascii "0123456789abcdef"

    .bss
    .align 16
scratch:
    .skip 16
    .skip 4096
stack_top:
