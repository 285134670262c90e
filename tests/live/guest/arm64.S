/*
 * A guest that does again and again, in the same order, what a monitor can watch.  It is an
 * arm64 kernel image without an MMU.  A round:
 *
 *   1. TTBR0_EL1 is given the round's number, counted from 1, in pages
 *   2. a request of the guest's own: the hypercall HVMOP_guest_request_vm_event
 *   3. a privileged call: smc
 *   4. the round's number is written to 0x40400128
 *   5. 0x40500010 is read
 *   6. 0x40600000 is called, where a ret is
 *
 * The global labels are the instructions that a monitor sees.  With FOR_SPEED it makes privileged
 * calls, and does nothing else.
 */

    .set hvm_op, 34
    .set HVMOP_guest_request_vm_event, 24
    .set XEN_HYPERCALL_TAG, 0xea1

    .set WRITTEN, 0x40400128
    .set READ, 0x40500010
    .set CALLED, 0x40600000
    .set RET, 0xd65f03c0

    .text
    .globl _start
_start:
    b start
    .long 0
    .quad 0                     /* offset of the image from 2 MiB of memory */
    .quad 0x10000               /* size in memory */
    .quad 0                     /* flags: little-endian */
    .quad 0, 0, 0
    .ascii "ARM\x64"
    .long 0

start:
    mov x19, #0                 /* the round's number */
    ldr x0, =0x123456789000
    msr ttbr1_el1, x0
    ldr x1, =CALLED
    ldr w2, =RET
    str w2, [x1]
    dsb sy
    ic iallu
    dsb sy
    isb
    .ifdef FOR_SPEED
1:  smc #0
    b 1b
    .endif
round:
    add x19, x19, #1
    lsl x0, x19, #12
    msr ttbr0_el1, x0
    isb

    mov x0, #HVMOP_guest_request_vm_event
    mov x1, #0
    mov x16, #hvm_op
    .globl guest_request
guest_request:
    hvc #XEN_HYPERCALL_TAG

    .globl privileged_call
privileged_call:
    smc #0

    ldr x1, =WRITTEN
    .globl write_page
write_page:
    str x19, [x1]

    ldr x1, =READ
    .globl read_page
read_page:
    ldr x2, [x1]

    ldr x1, =CALLED
    blr x1

    ldr x0, =4000000            /* some milliseconds */
1:  subs x0, x0, #1
    b.ne 1b
    b round
