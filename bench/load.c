// SPDX-License-Identifier: Apache-2.0
/* load: a closed loop of DHCPDISCOVERs on one interface.
 *
 *   load INTERFACE SECONDS WINDOW [vary]    WINDOW requests outstanding, one more for each reply
 *   load INTERFACE SECONDS reflect          answer what a load at the other end of a cable sends
 *
 * With "vary" no two requests have the same options (host name and client identifier change), as
 * when ever other clients ask.  Prints one line: replies a second, requests lost (no reply within
 * a second), percentiles of the latency in microseconds, and its own CPU time a reply.
 *
 * "reflect" turns a request into a reply in place.  Two loads on one veth pair, with no switch
 * between them, show what this program and the kernel can do alone. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ETHERNET = 14, IP = 20, UDP = 8, BOOTP = ETHERNET + IP + UDP, XID = BOOTP + 4 };
enum { COOKIE = BOOTP + 236, MIN_SIZE = BOOTP + 300, SLOTS = 1 << 16 };
enum { BUFFER_BYTES = 32 << 20, MAX_SAMPLES = 1 << 24 };
static const uint64_t SECOND_NS = 1000000000, GIVE_UP_NS = 1000000000;

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * SECOND_NS + t.tv_nsec;
}

static int open_interface(const char *name, uint8_t mac[6])
{
    int fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_IP));
    struct ifreq request = {0};
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    if (fd < 0 || ioctl(fd, SIOCGIFINDEX, &request)) {
        perror(name);
        exit(1);
    }
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET,
        .sll_ifindex = request.ifr_ifindex,
        .sll_protocol = htons(ETH_P_IP),
    };
    ioctl(fd, SIOCGIFHWADDR, &request);
    memcpy(mac, request.ifr_hwaddr.sa_data, 6);
    int size = BUFFER_BYTES, one = 1;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one);
    if (bind(fd, (struct sockaddr *) &address, sizeof address)) {
        perror(name);
        exit(1);
    }
    return fd;
}

static uint16_t ip_checksum(const uint8_t *header)
{
    uint32_t sum = 0;
    for (int i = 0; i < IP; i += 2)
        sum += header[i] << 8 | header[i + 1];
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return ~sum;
}

static void put16(uint8_t *at, unsigned value) { at[0] = value >> 8; at[1] = value; }

/* A DISCOVER as small as RFC 1542 allows; its UDP checksum is left out. */
static size_t make_discover(uint8_t *frame, const uint8_t mac[6], const char *vary)
{
    memset(frame, 0, MIN_SIZE);
    memset(frame, 0xff, 6);
    memcpy(frame + 6, mac, 6);
    frame[12] = 8;
    uint8_t *ip = frame + ETHERNET;
    ip[0] = 0x45;
    put16(ip + 2, MIN_SIZE - ETHERNET);
    ip[8] = 64;
    ip[9] = 17;
    memset(ip + 16, 0xff, 4);
    put16(ip + 10, ip_checksum(ip));
    put16(frame + 34, 68);
    put16(frame + 36, 67);
    put16(frame + 38, MIN_SIZE - ETHERNET - IP);
    uint8_t *bootp = frame + BOOTP;
    bootp[0] = bootp[1] = 1;
    bootp[2] = 6;
    memcpy(bootp + 28, mac, 6);
    uint8_t *option = frame + COOKIE;
    static const uint8_t options[] = {0x63, 0x82, 0x53, 0x63, 53, 1, 1, 55, 6, 1, 3, 6, 26, 51, 121};
    memcpy(option, options, sizeof options);
    option += sizeof options;
    if (vary) {
        memcpy(option, "\x0c\x08hostAAAA\x3d\x05\0AAAA", 17); /* the As are put in for each */
        option += 17;
    }
    *option = 255;
    return MIN_SIZE;
}

static void vary_options(uint8_t *frame, uint32_t number)
{
    uint8_t *option = frame + COOKIE + 15;
    for (int i = 0; i < 4; i++) {
        option[6 + i] = 'a' + (number >> 4 * i) % 16;
        option[13 + i] = number >> 8 * i;
    }
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *) a, y = *(const uint32_t *) b;
    return x < y ? -1 : x > y;
}

static double cpu_us(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 + used.ru_utime.tv_usec
           + used.ru_stime.tv_usec;
}

static void reflect(int fd, uint64_t end)
{
    uint8_t frame[2048];
    while (now_ns() < end) {
        struct pollfd ready = {fd, POLLIN, 0};
        poll(&ready, 1, 100);
        ssize_t size;
        while ((size = recv(fd, frame, sizeof frame, MSG_DONTWAIT)) > COOKIE) {
            frame[BOOTP] = 2;
            send(fd, frame, size, 0);
        }
    }
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: load INTERFACE SECONDS WINDOW|reflect [vary]\n");
        return 2;
    }
    uint8_t mac[6], frame[MIN_SIZE], reply[2048];
    int fd = open_interface(argv[1], mac);
    uint64_t start = now_ns(), end = start + atof(argv[2]) * SECOND_NS;
    if (!strcmp(argv[3], "reflect")) {
        reflect(fd, end);
        return 0;
    }
    unsigned window = atoi(argv[3]), outstanding = 0;
    const char *vary = argc > 4 ? argv[4] : NULL;
    size_t size = make_discover(frame, mac, vary);

    static uint64_t sent_ns[SLOTS]; /* by xid; 0: not outstanding */
    uint32_t *samples = malloc(MAX_SAMPLES * sizeof *samples);
    uint32_t xid = 1, oldest = 1;
    unsigned long replies = 0, lost = 0;
    for (uint64_t now; (now = now_ns()) < end;) {
        while (outstanding < window && xid - oldest < SLOTS - 1) {
            uint32_t on_wire = htonl(xid);
            memcpy(frame + XID, &on_wire, 4);
            if (vary)
                vary_options(frame, xid);
            uint64_t at = now_ns();
            if (send(fd, frame, size, MSG_DONTWAIT) < 0)
                break;
            sent_ns[xid++ % SLOTS] = at;
            outstanding++;
        }
        struct pollfd ready = {fd, POLLIN, 0};
        poll(&ready, 1, 100);
        ssize_t received;
        while ((received = recv(fd, reply, sizeof reply, MSG_DONTWAIT)) > 0) {
            if (received < MIN_SIZE || reply[BOOTP] != 2)
                continue;
            uint32_t answered;
            memcpy(&answered, reply + XID, 4);
            answered = ntohl(answered);
            uint64_t *slot = &sent_ns[answered % SLOTS];
            if (answered - oldest < xid - oldest && *slot) {
                if (replies < MAX_SAMPLES)
                    samples[replies] = now_ns() - *slot;
                replies++;
                outstanding--;
                *slot = 0;
            }
        }
        for (now = now_ns(); oldest != xid; oldest++) {
            uint64_t *slot = &sent_ns[oldest % SLOTS];
            if (*slot && now - *slot < GIVE_UP_NS)
                break;
            if (*slot) {
                *slot = 0;
                outstanding--;
                lost++;
            }
        }
    }
    double seconds = (now_ns() - start) / 1e9;
    size_t n = replies < MAX_SAMPLES ? replies : MAX_SAMPLES;
    qsort(samples, n, sizeof *samples, by_value);
    double us[3] = {0};
    for (int i = 0; n && i < 3; i++)
        us[i] = samples[n * (const unsigned[]){500, 990, 999}[i] / 1000] / 1e3;
    printf("rate=%.0f replies=%lu lost=%lu p50_us=%.1f p99_us=%.1f p999_us=%.1f cpu_us=%.2f\n",
           replies / seconds, replies, lost, us[0], us[1], us[2], replies ? cpu_us() / replies : 0);
    return !replies;
}
