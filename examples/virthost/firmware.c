/* SPDX-License-Identifier: MIT */
#include "firmware.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* A processor begins 16 bytes before the end. */
#define RESET_AT (FIRMWARE_BYTES - 16)
#define LIMIT_AT 0x100
#define TICKS_AT 0x104
#define NAME_AT 0x110
#define CHIPS_AT 0x130
#define PLACE_AT 0x150

/* Register A of the clock of a PC (MC146818): a rate of n interrupts it 32768 >> (n - 1) times a second, 2 at least. */
#define CLOCK_DIVIDER 0x20
#define RATE_16_HZ 12
#define RATE_2_HZ 15
#define RATE_PAIR 12

/* Ports and what is written to them. */
static const unsigned char chips[][2] = {
    {0x20, 0x11}, {0x21, 0x08}, {0x21, 0x04}, {0x21, 0x01}, {0x21, 0xfb}, /* interrupt controller (8259): only the second one, */
    {0xa0, 0x11}, {0xa1, 0x70}, {0xa1, 0x02}, {0xa1, 0x01}, {0xa1, 0xbe}, /* and of it the clock and the disk */
    {0x43, 0x30},                                                        /* the timer (8254) ticks no more */
    {0x70, 0x0a}, {0x71, CLOCK_DIVIDER}, {0x70, 0x0b}, {0x71, 0x42},     /* the clock does, at a rate that is added */
};

/* Ports of the first ATA disk from 0x100 on: one sector, the first. */
static const unsigned char place[][2] = {{0xf2, 1}, {0xf3, 0}, {0xf4, 0}, {0xf5, 0}, {0xf6, 0xe0}};

static const unsigned char reset[] = {0xea, 0x00, 0x00, 0x00, 0xf0}; /* jmp 0xf000:start */

/* What nasm makes of the comments after "org 0", with `sector` 0x8000 and `limit`, `ticks`, `name`, `chips`, `place` as above. */
static const unsigned char code[] = {
    0xfc,                               /* start:  cld */
    0x31, 0xc0,                         /*         xor ax, ax */
    0x8e, 0xd8,                         /*         mov ds, ax */
    0x8e, 0xc0,                         /*         mov es, ax */
    0x8e, 0xd0,                         /*         mov ss, ax */
    0xbc, 0x00, 0x70,                   /*         mov sp, 0x7000 */
    0xc7, 0x06, 0xc0, 0x01, 0xcb, 0x00, /*         mov word [0x70 * 4], tick ; the clock's interrupt */
    0x8c, 0x0e, 0xc2, 0x01,             /*         mov [0x70 * 4 + 2], cs */
    0xc7, 0x06, 0xd8, 0x01, 0xcb, 0x00, /*         mov word [0x76 * 4], tick ; the disk's */
    0x8c, 0x0e, 0xda, 0x01,             /*         mov [0x76 * 4 + 2], cs */
    0xbe, 0x30, 0x01,                   /*         mov si, chips */
    0xb9, 0x0f, 0x00,                   /*         mov cx, 15 */
    0x31, 0xd2,                         /*         xor dx, dx */
    0xe8, 0x96, 0x00,                   /*         call send */
    0x2e, 0x66, 0x8b, 0x1e, 0x00, 0x01, /*         mov ebx, [cs:limit] */
    0xb0, 0x20,                         /*         mov al, 0x20 ; read: the counter goes on where it was */
    0xe8, 0x66, 0x00,                   /*         call disk */
    0x74, 0x05,                         /*         jz beat */
    0xbf, 0x00, 0x80,                   /*         mov di, sector */
    0xf3, 0x6d,                         /*         rep insw */
    0x66, 0xff, 0x06, 0x00, 0x80,       /* beat:   inc dword [sector] */
    0xbe, 0x10, 0x01,                   /*         mov si, name */
    0xbf, 0x10, 0x80,                   /*         mov di, sector + 16 */
    0xb9, 0x10, 0x00,                   /*         mov cx, 16 */
    0xf3, 0x2e, 0xa5,                   /*         cs rep movsw */
    0xb0, 0x30,                         /*         mov al, 0x30 ; write */
    0xe8, 0x49, 0x00,                   /*         call disk */
    0x74, 0x08,                         /*         jz count */
    0xbe, 0x00, 0x80,                   /*         mov si, sector */
    0xf3, 0x6f,                         /*         rep outsw */
    0xe8, 0x4e, 0x00,                   /*         call settle */
    0x2e, 0x8b, 0x0e, 0x04, 0x01,       /* count:  mov cx, [cs:ticks] */
    0xf4,                               /* rest:   hlt ; until the clock ticks */
    0xe2, 0xfd,                         /*         loop rest */
    0x66, 0x85, 0xdb,                   /*         test ebx, ebx */
    0x74, 0xd3,                         /*         jz beat */
    0x66, 0x4b,                         /*         dec ebx */
    0x75, 0xcf,                         /*         jnz beat */
    0x66, 0xb8, 0x40, 0x0b, 0x00, 0x80, /*         mov eax, 0x80000b40 ; power off: the registers of ACPI at 0x600, */
    0xba, 0xf8, 0x0c,                   /*         mov dx, 0xcf8 */
    0x66, 0xef,                         /*         out dx, eax */
    0x66, 0xb8, 0x01, 0x06, 0x00, 0x00, /*         mov eax, 0x601 */
    0xb2, 0xfc,                         /*         mov dl, 0xfc */
    0x66, 0xef,                         /*         out dx, eax */
    0x66, 0xb8, 0x80, 0x0b, 0x00, 0x80, /*         mov eax, 0x80000b80 ; on, */
    0xb2, 0xf8,                         /*         mov dl, 0xf8 */
    0x66, 0xef,                         /*         out dx, eax */
    0xb2, 0xfc,                         /*         mov dl, 0xfc */
    0xb0, 0x01,                         /*         mov al, 1 */
    0xee,                               /*         out dx, al */
    0xba, 0x04, 0x06,                   /*         mov dx, 0x604 ; sleep for ever */
    0xb8, 0x00, 0x20,                   /*         mov ax, 0x2000 */
    0xef,                               /*         out dx, ax */
    0xf4,                               /* ever:   hlt */
    0xeb, 0xfd,                         /*         jmp ever */
    0x50,                               /* disk:   push ax ; command al, and wait */
    0xbe, 0x50, 0x01,                   /*         mov si, place */
    0xb9, 0x05, 0x00,                   /*         mov cx, 5 */
    0xb6, 0x01,                         /*         mov dh, 1 */
    0xe8, 0x19, 0x00,                   /*         call send */
    0x58,                               /*         pop ax */
    0x42,                               /*         inc dx */
    0xee,                               /*         out dx, al */
    0xba, 0xf7, 0x01,                   /* settle: mov dx, 0x1f7 ; until it isn't busy; zero flag: it takes and has no data */
    0xfa,                               /*         cli */
    0xec,                               /*         in al, dx */
    0xa8, 0x80,                         /*         test al, 0x80 */
    0x74, 0x04,                         /*         jz idle */
    0xfb,                               /*         sti */
    0xf4,                               /*         hlt */
    0xeb, 0xf3,                         /*         jmp settle */
    0xfb,                               /* idle:   sti */
    0xb2, 0xf0,                         /*         mov dl, 0xf0 */
    0xb9, 0x00, 0x01,                   /*         mov cx, 256 */
    0xa8, 0x08,                         /*         test al, 8 */
    0xc3,                               /*         ret */
    0x2e, 0xad,                         /* send:   cs lodsw ; cx pairs at si, port and value; the port's high byte is dh */
    0x88, 0xc2,                         /*         mov dl, al */
    0x88, 0xe0,                         /*         mov al, ah */
    0xee,                               /*         out dx, al */
    0xe2, 0xf7,                         /*         loop send */
    0xc3,                               /*         ret */
    0x50,                               /* tick:   push ax ; an interrupt of the clock or of the disk */
    0xb0, 0x0c,                         /*         mov al, 0x0c */
    0xe6, 0x70,                         /*         out 0x70, al */
    0xe4, 0x71,                         /*         in al, 0x71 */
    0xb0, 0x20,                         /*         mov al, 0x20 */
    0xe6, 0xa0,                         /*         out 0xa0, al */
    0xe6, 0x20,                         /*         out 0x20, al */
    0x58,                               /*         pop ax */
    0xcf,                               /*         iret */
};

static void put_number(unsigned char *at, uint32_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        at[i] = (unsigned char)(value >> (8 * i));
}

/* Each interrupt wakes QEMU: as few of them as measure `ticks`. */
static void put_ticks(unsigned char *image, uint16_t ticks)
{
    unsigned char rate = RATE_16_HZ;
    for (; rate < RATE_2_HZ && ticks % 2 == 0; rate++)
        ticks /= 2;
    image[CHIPS_AT + sizeof(chips[0]) * RATE_PAIR + 1] |= rate;
    put_number(image + TICKS_AT, ticks, 2);
}

int firmware_write(const char *path, const char *name, uint32_t beats, uint16_t ticks)
{
    unsigned char image[FIRMWARE_BYTES] = {0};
    memcpy(image, code, sizeof(code));
    memcpy(image + CHIPS_AT, chips, sizeof(chips));
    memcpy(image + PLACE_AT, place, sizeof(place));
    memcpy(image + RESET_AT, reset, sizeof(reset));
    memcpy(image + NAME_AT, name, strnlen(name, FIRMWARE_NAME_BYTES));
    put_number(image + LIMIT_AT, beats, 4);
    put_ticks(image, ticks);

    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -errno;
    ssize_t written = write(fd, image, sizeof(image));
    int result = written < 0 ? -errno : written < (ssize_t)sizeof(image) ? -ENOSPC : 0;
    close(fd);
    return result;
}
