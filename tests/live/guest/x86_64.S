/*
 * A guest that does again and again, in the same order, what a monitor can watch.  It is a PVH
 * kernel: Xen enters it in 32-bit protected mode, flat, without paging.  A round:
 *
 *   1. CR4 toggles its bit 3 (DE)
 *   2. CR3 is given 0x5000 and 0x6000 by turns
 *   3. a request of the guest's own: the hypercall HVMOP_guest_request_vm_event
 *   4. MSR 0x174 (SYSENTER_CS) is given the round's number, counted from 1
 *   5. MSR 0xc0000082 (LSTAR) is given 0x1abcde000
 *   6. CPUID of leaf 0x12345, subleaf 7
 *   7. one instruction is single-stepped: a debug exception
 *   8. sgdt, lidt, sldt
 *
 * When CPUID gives another result than before, the guest writes it to the debug port, and so
 * to Xen's console, with the round and the number of debug exceptions until then.
 *
 * The global labels are the instructions that a monitor sees.  With FOR_SPEED it asks CPUID, and
 * does nothing else.
 */

    .set SYSENTER_CS, 0x174
    .set LSTAR, 0xc0000082
    .set DEBUG_PORT, 0xe9

    .set hvm_op, 34
    .set HVMOP_guest_request_vm_event, 24

    .set TF, 0x100
    .set CODE, 0x08
    .set DATA, 0x10

/* The entry point, where Xen looks for it. */
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
    mov $debug_exception, %eax  /* a gate holds the halves of an address apart */
    mov %ax, debug_gate
    shr $16, %eax
    mov %ax, debug_gate + 6
    lidt idt_register
    xor %ebp, %ebp              /* the round's number */
    .ifdef FOR_SPEED
1:  cpuid
    jmp 1b
    .endif

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
    jne write_cr3
    mov $0x6000, %eax
    .globl write_cr3
write_cr3:
    mov %eax, %cr3

    mov $hvm_op, %eax
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
    mov answer, %esi            /* its first word from the round before */
    mov $answer, %edi
    stosl
    xchg %ebx, %eax
    stosl
    xchg %ecx, %eax
    stosl
    xchg %edx, %eax
    stosl
    cmp %esi, answer
    je 1f
    call report
1:

    pushf
    pushf
    orl $TF, (%esp)
    popf                        /* a debug exception after the next instruction, */
    popf                        /* which switches TF off again */
    .globl stepped
stepped:

    .globl store_gdt
store_gdt:
    sgdt scratch
    .globl load_idt
load_idt:
    lidt idt_register
    .globl store_ldt
store_ldt:
    sldt scratch

    mov $4000000, %ecx          /* some milliseconds */
1:  dec %ecx
    jnz 1b
    jmp round

debug_exception:
    incl exceptions
    iret

/* "guest: cpuid 11111111 22222222 33333333 44444444 round 00000001 exceptions 00000000" */
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
    mov $text_round, %esi
    call put_text
    mov %ebp, %edx
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
    mov digits(%eax), %al
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
    .word gdt_register - gdt - 1
    .long gdt
    .align 8
idt:
    .quad 0
debug_gate:
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
text_round:
    .asciz " round"
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
