// SPDX-License-Identifier: Apache-2.0
/* What load.c and storm.c share: a guest's interface, what it asks, and what answers that. */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

enum message { NONE, DISCOVER, REQUEST, SOLICIT, REQUEST6, SOLICITATION };
static const char *const MESSAGES[] = {
    "none", "discover", "request", "solicit", "request6", "solicitation"};
/* DHCPOFFER, DHCPACK, ADVERTISE, REPLY, and ICMPv6's router advertisement. */
static const uint8_t ANSWER[] = {0, 2, 5, 2, 7, 134};

enum { ETHERNET = 14, UDP = 8, IPV4 = ETHERNET + 20, IPV6 = ETHERNET + 40 };
enum { BOOTP = IPV4 + UDP, XID = BOOTP + 4, YIADDR = BOOTP + 16, CHADDR = BOOTP + 28 };
enum { OPTIONS = BOOTP + 240, SIZE = BOOTP + 320, DHCPV6 = IPV6 + UDP, OPTIONS6 = DHCPV6 + 4 };
static const uint64_t SECOND_NS = 1000000000;

/* The options of an offer that the request for it repeats. */
struct offer {
    uint8_t size, options[255];
};

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * SECOND_NS + t.tv_nsec;
}

static int is_ipv6(enum message message) { return message >= SOLICIT; }

/* A raw socket that receives what may answer this message; exits if there is no such interface. */
static int open_interface(const char *name, enum message message, uint8_t mac[6])
{
    int protocol = htons(is_ipv6(message) ? ETH_P_IPV6 : ETH_P_IP);
    int fd = socket(AF_PACKET, SOCK_RAW, protocol);
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET,
        .sll_ifindex = if_nametoindex(name),
        .sll_protocol = protocol,
    };
    struct ifreq request = {0};
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    int size = 32 << 20, one = 1;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one);
    if (fd < 0 || ioctl(fd, SIOCGIFHWADDR, &request)
        || bind(fd, (struct sockaddr *) &address, sizeof address)) {
        perror(name);
        exit(1);
    }
    memcpy(mac, request.ifr_hwaddr.sa_data, 6);
    return fd;
}

static unsigned get16(const uint8_t *at) { return at[0] << 8 | at[1]; }
static uint32_t get32(const uint8_t *at) { return (uint32_t) get16(at) << 16 | get16(at + 2); }
static void put16(uint8_t *at, unsigned value) { at[0] = value >> 8; at[1] = value; }
static void put32(uint8_t *at, uint32_t value) { put16(at, value >> 16); put16(at + 2, value); }

static uint8_t *append(uint8_t *at, const void *bytes, size_t size)
{
    memcpy(at, bytes, size);
    return at + size;
}

/* The Internet checksum of these bytes, and of a number that is not among them. */
static unsigned checksum(const uint8_t *bytes, size_t size, uint32_t sum)
{
    for (size_t i = 0; i + 1 < size; i += 2)
        sum += get16(bytes + i);
    if (size % 2)
        sum += bytes[size - 1] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return ~sum & 0xffff;
}

/* DHCPv4 has no UDP checksum here: it may be left out. */
static size_t make_dhcpv4(uint8_t *frame, enum message message, const uint8_t mac[6], uint32_t xid,
                          uint32_t host, const struct offer *offer)
{
    memset(frame, 0xff, 6);
    put16(frame + 12, ETH_P_IP);
    uint8_t *ip = frame + ETHERNET;
    memcpy(ip, "\x45\0\0\0\0\0\0\0\x40\x11\0\0\0\0\0\0\xff\xff\xff\xff", 20);
    put16(ip + 2, SIZE - ETHERNET);
    put16(ip + 10, checksum(ip, 20, 0));
    put16(frame + IPV4, 68);
    put16(frame + IPV4 + 2, 67);
    put16(frame + IPV4 + 4, SIZE - IPV4);
    memcpy(frame + BOOTP, "\1\1\6", 3);
    put32(frame + XID, xid);
    memcpy(frame + CHADDR, mac, 6);
    put32(frame + OPTIONS - 4, 0x63825363);
    uint8_t *at = append(frame + OPTIONS, "\x35\1", 2);
    *at++ = message == DISCOVER ? 1 : 3;
    at = append(at, "\x3d\5\0", 3); /* a client identifier that is not a hardware address */
    put32(at, host);
    at = append(at + 4, "\x37\x0d\1\x1c\2\3\x0f\6\x77\x0c\x2c\x2f\x1a\x79\x2a", 15);
    at += sprintf((char *) at, "\x0c\x0avm%08x", host);
    if (message == REQUEST)
        at = append(at, offer->options, offer->size);
    *at = 0xff;
    return SIZE;
}

/* What IPv6 messages have in common, round the "size" bytes from IPV6 on. */
static size_t in_ipv6(uint8_t *frame, const char *to, const uint8_t from[8], uint8_t protocol,
                      uint8_t hops, size_t size, size_t at_checksum)
{
    memcpy(frame, "\x33\x33", 2);
    memcpy(frame + 2, to + 12, 4);
    put16(frame + 12, ETH_P_IPV6);
    uint8_t *ip = frame + ETHERNET;
    ip[0] = 0x60;
    put16(ip + 4, size);
    ip[6] = protocol;
    ip[7] = hops;
    put16(ip + 8, 0xfe80);
    memcpy(ip + 16, from, 8);
    memcpy(ip + 24, to, 16);
    put16(frame + at_checksum, 0);
    put16(frame + at_checksum, checksum(ip + 8, 32 + size, protocol + size));
    return IPV6 + size;
}

static size_t make_dhcpv6(uint8_t *frame, enum message message, const uint8_t mac[6], uint32_t xid,
                          uint32_t host, const struct offer *offer)
{
    put32(frame + DHCPV6, xid);
    frame[DHCPV6] = message == SOLICIT ? 1 : 3;
    uint8_t *at = append(frame + OPTIONS6, "\0\1\0\x0a\0\3\0\1", 8); /* a DUID-LL */
    at = append(at, mac, 2);
    put32(at, host);
    at = append(at + 4, "\0\6\0\6\0\x17\0\x18\0\x27\0\x08\0\2\0\0", 16);
    if (message == SOLICIT) {
        at = append(at, "\0\3\0\x0c", 4); /* IA_NA; OVN takes one whose IAID is 0 for none */
        put32(at, host + 1);
        put32(at + 4, 0);
        put32(at + 8, 0);
        at += 12;
    } else {
        at = append(at, offer->options, offer->size);
    }
    size_t size = at - frame - IPV6;
    put16(frame + IPV6, 546);
    put16(frame + IPV6 + 2, 547);
    put16(frame + IPV6 + 4, size);
    uint8_t from[8] = {mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5]};
    return in_ipv6(frame, "\xff\2\0\0\0\0\0\0\0\0\0\0\0\1\0\2", from, 17, 1, size, IPV6 + 6);
}

/* A router solicitation has no number: it comes from an address that has it. */
static size_t make_solicitation(uint8_t *frame, const uint8_t mac[6], uint32_t xid)
{
    uint8_t *at = append(frame + IPV6, "\x85\0\0\0\0\0\0\0\1\1", 10);
    at = append(at, mac, 6);
    uint8_t from[8] = {2};
    put32(from + 4, xid);
    return in_ipv6(frame, "\xff\2\0\0\0\0\0\0\0\0\0\0\0\0\0\2", from, 58, 255, 16, IPV6 + 2);
}

/* A message with this number as its transaction identifier (of DHCPv6, 24 bits of it), of the
 * host with this other number: its host name and client identifier, its DUID and IAID.  Writes at
 * most SIZE bytes into "frame"; returns how many. */
static size_t make(uint8_t *frame, enum message message, const uint8_t mac[6], uint32_t xid,
                   uint32_t host, const struct offer *offer)
{
    memset(frame, 0, SIZE);
    memcpy(frame + 6, mac, 6);
    if (message == SOLICITATION)
        return make_solicitation(frame, mac, xid);
    return (is_ipv6(message) ? make_dhcpv6 : make_dhcpv4)(frame, message, mac, xid, host, offer);
}

/* An option with its code and length before it, and its size in all; NULL if it is not there. */
static const uint8_t *find4(const uint8_t *frame, size_t size, uint8_t code, size_t *whole)
{
    for (size_t at = OPTIONS; at + 1 < size && frame[at] != 0xff; at += *whole) {
        *whole = frame[at] ? 2 + frame[at + 1] : 1;
        if (frame[at] == code && at + *whole <= size)
            return frame + at;
    }
    return NULL;
}

static const uint8_t *find6(const uint8_t *frame, size_t size, unsigned code, size_t *whole)
{
    for (size_t at = OPTIONS6; at + 4 <= size; at += *whole) {
        *whole = 4 + get16(frame + at + 2);
        if (get16(frame + at) == code && at + *whole <= size)
            return frame + at;
    }
    return NULL;
}

/* Whether a frame is what answers this message, and then which number it answers. */
static int answers(const uint8_t *frame, size_t size, enum message message, uint32_t *xid)
{
    size_t whole;
    if (message == SOLICITATION) {
        *xid = get32(frame + ETHERNET + 36);
        return size >= IPV6 + 16 && get16(frame + 12) == ETH_P_IPV6 && frame[ETHERNET + 6] == 58
               && frame[IPV6] == ANSWER[message];
    }
    if (is_ipv6(message)) {
        *xid = get32(frame + DHCPV6) & 0xffffff;
        return size >= OPTIONS6 && get16(frame + 12) == ETH_P_IPV6 && frame[ETHERNET + 6] == 17
               && get16(frame + IPV6) == 547 && frame[DHCPV6] == ANSWER[message];
    }
    *xid = get32(frame + XID);
    if (size < OPTIONS || get16(frame + 12) != ETH_P_IP || get16(frame + IPV4) != 67
        || frame[BOOTP] != 2)
        return 0;
    const uint8_t *kind = find4(frame, size, 53, &whole);
    return kind && whole == 3 && kind[2] == ANSWER[message];
}

/* Keep what the request for this offer has to say: the address and the server. */
static void keep(struct offer *offer, const uint8_t *frame, size_t size, enum message message)
{
    uint8_t *at = offer->options;
    size_t whole;
    const uint8_t *server, *ia;
    if (message == DISCOVER) {
        at = append(append(at, "\x32\4", 2), frame + YIADDR, 4);
        if ((server = find4(frame, size, 54, &whole)))
            at = append(at, server, whole);
    } else {
        if ((server = find6(frame, size, 2, &whole)) && whole <= 64)
            at = append(at, server, whole);
        if ((ia = find6(frame, size, 3, &whole)) && whole <= 64)
            at = append(at, ia, whole);
    }
    offer->size = at - offer->options;
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *) a, y = *(const uint32_t *) b;
    return x < y ? -1 : x > y;
}

/* Sorts the samples; prints how many, and percentiles in microseconds. */
static void print_samples(uint32_t *samples, size_t n)
{
    qsort(samples, n, sizeof *samples, by_value);
    printf("replies=%zu p50_us=%.1f p99_us=%.1f", n, n ? samples[n / 2] / 1e3 : 0,
           n ? samples[n * 99 / 100] / 1e3 : 0);
}

static enum message message_named(const char *name)
{
    for (enum message each = DISCOVER; each <= SOLICITATION; each++)
        if (!strcmp(name, MESSAGES[each]))
            return each;
    fprintf(stderr, "no message is called %s\n", name);
    exit(2);
}
