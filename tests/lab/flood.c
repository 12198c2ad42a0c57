// SPDX-License-Identifier: Apache-2.0
/* flood: sends the frames of a file, in turn and again, out of one interface at a rate.
 *
 *   flood INTERFACE FRAMES A_SECOND SECONDS
 *
 * FRAMES is a file of frames, each behind its length in 2 bytes.  What is due is sent every
 * millisecond; what the machine is late with is not made up for.  Prints how many were sent. */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

enum { MAX_FRAMES = 4096, BUFFER_BYTES = 8 << 20, MAX_LATE_MS = 20 };

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * UINT64_C(1000000000) + t.tv_nsec;
}

int main(int argc, char **argv)
{
    static uint8_t frames[MAX_FRAMES][1514];
    static unsigned sizes[MAX_FRAMES];
    unsigned count = 0;
    uint8_t length[2];
    FILE *file;
    if (argc != 5 || !(file = fopen(argv[2], "rb"))) {
        fprintf(stderr, "usage: flood INTERFACE FRAMES A_SECOND SECONDS\n");
        return 2;
    }
    while (count < MAX_FRAMES && fread(length, 2, 1, file)) {
        sizes[count] = length[0] << 8 | length[1];
        if (sizes[count] > sizeof frames[0] || !fread(frames[count], sizes[count], 1, file)) {
            fprintf(stderr, "%s: frame %u is cut off or too long\n", argv[2], count);
            return 2;
        }
        count++;
    }
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET,
        .sll_ifindex = if_nametoindex(argv[1]),
    };
    int fd = socket(AF_PACKET, SOCK_RAW, 0), size = BUFFER_BYTES;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
    if (!count || bind(fd, (struct sockaddr *) &address, sizeof address)) {
        perror(argv[1]);
        return 1;
    }

    double rate = atof(argv[3]);
    uint64_t start = now_ns(), end = start + atof(argv[4]) * 1e9;
    unsigned long sent = 0, next = 0;
    double skipped = 0;
    for (uint64_t now; (now = now_ns()) < end;) {
        double due = (now - start) / 1e9 * rate - skipped;
        if (due - next > rate * MAX_LATE_MS / 1000) { /* the machine was late */
            skipped += due - next - rate / 1000;
            due = next + rate / 1000;
        }
        for (; next < due; next++)
            sent += send(fd, frames[next % count], sizes[next % count], MSG_DONTWAIT) > 0;
        struct timespec pause = {0, 1000000};
        nanosleep(&pause, NULL);
    }
    printf("%lu\n", sent);
    return 0;
}
