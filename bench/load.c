// SPDX-License-Identifier: Apache-2.0
/* load: a closed loop of one kind of request on one interface.
 *
 *   load INTERFACE SECONDS MESSAGE WINDOW [different]
 *   load INTERFACE SECONDS reflect          answer the DISCOVERs of a load at the cable's other end
 *
 * MESSAGE is discover, solicit, request6 (a DHCPv6 REQUEST for what one SOLICIT was offered) or
 * solicitation (of a router).  WINDOW are outstanding, one more for each right answer: of the
 * message type that is due, with the transaction identifier of a request that is outstanding.
 *
 * The same request is sent again and again but for its transaction identifier; a router
 * solicitation has none, so these come from 1,024 source addresses in turn.  With "different" no
 * two are the same in what a server may look at: the host name and the client identifier differ,
 * or the DUID and the IAID, or the source address.
 *
 * Prints one line: replies a second, requests lost (no answer within a second), percentiles of the
 * latency in microseconds.  Two loads on one veth pair, with no switch between them, show what
 * this program and the kernel can do alone. */
#include "guest.h"

enum { SLOTS = 1 << 16, SOURCES = 1 << 10, MAX_SAMPLES = 1 << 24 };

static enum message message;
static int different;
static uint8_t mac[6], frame[SIZE], reply[2048];

static void reflect(int fd, uint64_t end)
{
    while (now_ns() < end) {
        struct pollfd ready = {fd, POLLIN, 0};
        poll(&ready, 1, 100);
        ssize_t size;
        while ((size = recv(fd, reply, sizeof reply, MSG_DONTWAIT)) > OPTIONS + 2) {
            reply[BOOTP] = 2;
            put16(reply + IPV4, 67);
            reply[OPTIONS + 2] = ANSWER[DISCOVER];
            send(fd, reply, size, 0);
        }
    }
}

/* What is offered to the host that all requests for it will come from. */
static struct offer offered(int fd)
{
    struct offer offer = {0};
    for (int tries = 0; tries < 10; tries++) {
        size_t size = make(frame, SOLICIT, mac, 0, 0, NULL);
        struct pollfd ready = {fd, POLLIN, 0};
        send(fd, frame, size, 0);
        while (poll(&ready, 1, 1000) > 0) {
            uint32_t xid;
            ssize_t got = recv(fd, reply, sizeof reply, MSG_DONTWAIT);
            if (got > 0 && answers(reply, got, SOLICIT, &xid)) {
                keep(&offer, reply, got, SOLICIT);
                return offer;
            }
        }
    }
    fprintf(stderr, "no ADVERTISE\n");
    exit(1);
}

int main(int argc, char **argv)
{
    if (argc < 4 || (argc < 5 && strcmp(argv[3], "reflect"))) {
        fprintf(stderr, "usage: load INTERFACE SECONDS MESSAGE WINDOW [different]\n"
                        "       load INTERFACE SECONDS reflect\n");
        return 2;
    }
    if (!strcmp(argv[3], "reflect")) {
        reflect(open_interface(argv[1], DISCOVER, mac), now_ns() + atof(argv[2]) * SECOND_NS);
        return 0;
    }
    message = message_named(argv[3]);
    unsigned window = atoi(argv[4]), outstanding = 0;
    different = argc > 5;
    int fd = open_interface(argv[1], message, mac);
    struct offer offer = {0};
    if (message == REQUEST6)
        offer = offered(fd);

    /* Numbers of requests, in order; what is on the wire may be less of them. */
    uint32_t mask = message == SOLICITATION && !different ? SOURCES - 1
                    : is_ipv6(message)                    ? 0xffffff
                                                          : 0xffffffff;
    uint32_t slots = message == SOLICITATION && !different ? SOURCES : SLOTS;
    static struct {
        uint32_t number;
        uint64_t sent_ns; /* 0: not outstanding */
    } asked[SLOTS];
    uint32_t *samples = malloc(MAX_SAMPLES * sizeof *samples);
    uint32_t next = 1, oldest = 1;
    size_t replies = 0, lost = 0;
    uint64_t start = now_ns(), end = start + atof(argv[2]) * SECOND_NS;
    for (uint64_t now; (now = now_ns()) < end;) {
        while (outstanding < window && next - oldest < slots - 1) {
            size_t size = make(frame, message, mac, next & mask, different ? next : 0, &offer);
            uint64_t at = now_ns();
            if (send(fd, frame, size, MSG_DONTWAIT) < 0)
                break;
            asked[next % slots].number = next;
            asked[next % slots].sent_ns = at;
            next++;
            outstanding++;
        }
        struct pollfd ready = {fd, POLLIN, 0};
        poll(&ready, 1, 100);
        ssize_t size;
        while ((size = recv(fd, reply, sizeof reply, MSG_DONTWAIT)) > 0) {
            uint32_t xid;
            if (!answers(reply, size, message, &xid))
                continue;
            uint64_t *sent_ns = &asked[xid % slots].sent_ns;
            if (!*sent_ns || (asked[xid % slots].number & mask) != xid)
                continue;
            if (replies < MAX_SAMPLES)
                samples[replies++] = now_ns() - *sent_ns;
            outstanding--;
            *sent_ns = 0;
        }
        for (now = now_ns(); oldest != next; oldest++) {
            uint64_t *sent_ns = &asked[oldest % slots].sent_ns;
            if (*sent_ns && now - *sent_ns < SECOND_NS)
                break;
            if (*sent_ns) {
                *sent_ns = 0;
                outstanding--;
                lost++;
            }
        }
    }
    printf("rate=%.0f lost=%zu ", replies / ((now_ns() - start) / 1e9), lost);
    print_samples(samples, replies);
    printf("\n");
    return !replies;
}
