/* SPDX-License-Identifier: MIT */
#include "boot_sector.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define SECTOR 512
#define RATE_AT 0x1d5
#define TICKS_AT 0x1d6
#define LIMIT_AT 0x1d8
#define NAME_AT 0x1dc

/* Register A of the clock of a PC (MC146818): a rate of n interrupts it 32768 >> (n - 1) times a second, 2 at least. */
#define CLOCK_DIVIDER 0x20
#define RATE_16_HZ 12
#define RATE_2_HZ 15

/* What nasm makes of the comments after "org 0x7c00", with `sector` 0x8000, `rate`, `ticks`, `limit` and `name` as above. */
static const unsigned char code[] = {
    0xfa,                          /* start:  cli */
    0xfc,                          /*         cld */
    0x31, 0xc0,                    /*         xor ax, ax */
    0x8e, 0xd8,                    /*         mov ds, ax */
    0x8e, 0xc0,                    /*         mov es, ax */
    0x8e, 0xd0,                    /*         mov ss, ax */
    0xbc, 0x00, 0x70,              /*         mov sp, 0x7000 ; in a page without code, or QEMU would look for changes of it */
    0xfb,                          /*         sti */
    0xb0, 0x30,                    /*         mov al, 0x30 */
    0xe6, 0x43,                    /*         out 0x43, al ; the timer of the BIOS ticks no more */
    0xb0, 0x0a,                    /*         mov al, 0x0a */
    0xe6, 0x70,                    /*         out 0x70, al */
    0xa0, 0xd5, 0x7d,              /*         mov al, [rate] */
    0xe6, 0x71,                    /*         out 0x71, al */
    0xb0, 0x0b,                    /*         mov al, 0x0b */
    0xe6, 0x70,                    /*         out 0x70, al */
    0xb0, 0x42,                    /*         mov al, 0x42 */
    0xe6, 0x71,                    /*         out 0x71, al ; the clock does, at that rate */
    0x42,                          /*         inc dx ; dl is the drive it boots from: take the next */
    0x88, 0x16, 0x7f, 0x7c,        /*         mov [drive], dl */
    0xb4, 0x42,                    /*         mov ah, 0x42 ; read: the counter goes on where it was */
    0xe8, 0x36, 0x00,              /*         call disk */
    0x66, 0xff, 0x06, 0x00, 0x80,  /* beat:   inc dword [sector] */
    0xbe, 0xdc, 0x7d,              /*         mov si, name */
    0xbf, 0x10, 0x80,              /*         mov di, sector + 16 */
    0xb9, 0x10, 0x00,              /*         mov cx, 16 */
    0xf3, 0xa5,                    /*         rep movsw */
    0xb4, 0x43,                    /*         mov ah, 0x43 ; write */
    0xe8, 0x21, 0x00,              /*         call disk */
    0x8b, 0x0e, 0xd6, 0x7d,        /*         mov cx, [ticks] */
    0xf4,                          /* rest:   hlt ; until the clock ticks */
    0xe2, 0xfd,                    /*         loop rest */
    0x66, 0xa1, 0xd8, 0x7d,        /*         mov eax, [limit] */
    0x66, 0x85, 0xc0,              /*         test eax, eax */
    0x74, 0xdb,                    /*         jz beat */
    0x66, 0xff, 0x0e, 0xd8, 0x7d,  /*         dec dword [limit] */
    0x75, 0xd4,                    /*         jnz beat */
    0xba, 0x04, 0x06,              /*         mov dx, 0x604 ; power off */
    0xb8, 0x00, 0x20,              /*         mov ax, 0x2000 */
    0xef,                          /*         out dx, ax */
    0xf4,                          /* ever:   hlt */
    0xeb, 0xfd,                    /*         jmp ever */
    0xb0, 0x00,                    /* disk:   mov al, 0 */
    0x8a, 0x16, 0x7f, 0x7c,        /*         mov dl, [drive] */
    0xbe, 0x6f, 0x7c,              /*         mov si, packet */
    0xcd, 0x13,                    /*         int 0x13 */
    0xc3,                          /*         ret */
    0x10, 0x00,                    /* packet: db 16, 0 */
    0x01, 0x00,                    /*         dw 1 */
    0x00, 0x80, 0x00, 0x00,        /*         dw sector, 0 */
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /*         dq 0 */
    0x00,                          /* drive:  db 0 */
};

static void put_number(unsigned char *at, uint32_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        at[i] = (unsigned char)(value >> (8 * i));
}

/* Each interrupt wakes QEMU: as few of them as measure `ticks`. */
static void put_ticks(unsigned char *sector, uint16_t ticks)
{
    unsigned char rate = RATE_16_HZ;
    for (; rate < RATE_2_HZ && ticks % 2 == 0; rate++)
        ticks /= 2;
    sector[RATE_AT] = CLOCK_DIVIDER | rate;
    put_number(sector + TICKS_AT, ticks, 2);
}

int boot_sector_write(const char *path, const char *name, uint32_t beats, uint16_t ticks)
{
    unsigned char sector[SECTOR] = {0};
    memcpy(sector, code, sizeof(code));
    put_ticks(sector, ticks);
    put_number(sector + LIMIT_AT, beats, 4);
    memcpy(sector + NAME_AT, name, strnlen(name, BOOT_NAME_BYTES));
    sector[SECTOR - 2] = 0x55;
    sector[SECTOR - 1] = 0xaa;

    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -errno;
    int result = 0;
    ssize_t written = write(fd, sector, SECTOR);
    if (written != SECTOR)
        result = written < 0 ? -errno : -ENOSPC;
    else if (ftruncate(fd, BOOT_IMAGE_BYTES) != 0)
        result = -errno;
    close(fd);
    return result;
}
