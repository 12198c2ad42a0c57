// SPDX-License-Identifier: Apache-2.0
/* storm: many guests on one interface ask for what they need, as after a power failure.
 *
 *   storm INTERFACE MESSAGE GUESTS WINDOW
 *
 * MESSAGE is with what each begins: discover, then a REQUEST for what it is offered; solicit,
 * likewise; or solicitation, and a router's advertisement is all.  Guest n has the MAC
 * 0a:00:00:00:hi:lo of n.  WINDOW of them are at it at once, and a message without an answer is
 * sent again after a second.  Prints one line: guests served a second, messages sent again, guests
 * that are not served after 30 seconds, percentiles of the time to an answer in microseconds.  Fails
 * if none is served. */
#include "guest.h"

enum { MAX_GUESTS = 65536 };

struct guest {
    uint64_t sent_ns;
    enum message asked; /* what was sent last; NONE before and after */
    struct offer offer;
};
static struct guest guests[MAX_GUESTS];
static uint32_t samples[2 * MAX_GUESTS];

static void ask(int fd, unsigned n, enum message message)
{
    uint8_t frame[SIZE], mac[6] = {0x0a, 0, 0, 0, n >> 8, n};
    size_t size = make(frame, message, mac, n, n, &guests[n].offer);
    guests[n].asked = message;
    guests[n].sent_ns = now_ns();
    send(fd, frame, size, 0);
}

static enum message after(enum message message)
{
    return message == DISCOVER ? REQUEST : message == SOLICIT ? REQUEST6 : NONE;
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: storm INTERFACE MESSAGE GUESTS WINDOW\n");
        return 2;
    }
    enum message first = message_named(argv[2]);
    unsigned count = atoi(argv[3]), window = atoi(argv[4]);
    if (!count || count > MAX_GUESTS || !window)
        return 2;
    uint8_t own_mac[6], reply[2048];
    int fd = open_interface(argv[1], first, own_mac);
    unsigned begun = 0, done = 0, again = 0, n_samples = 0;
    uint64_t start = now_ns(), checked = start, last = start;
    while (done < count && now_ns() - start < 30 * SECOND_NS) {
        while (begun < count && begun - done < window)
            ask(fd, begun++, first);
        struct pollfd ready = {fd, POLLIN, 0};
        poll(&ready, 1, 100);
        ssize_t size;
        while ((size = recv(fd, reply, sizeof reply, MSG_DONTWAIT)) > 0) {
            uint32_t n;
            for (enum message each = first; each; each = after(each)) {
                if (!answers(reply, size, each, &n) || n >= count || guests[n].asked != each)
                    continue;
                last = now_ns();
                samples[n_samples++] = last - guests[n].sent_ns;
                guests[n].asked = NONE;
                if (after(each)) {
                    keep(&guests[n].offer, reply, size, each);
                    ask(fd, n, after(each));
                } else {
                    done++;
                }
                break;
            }
        }
        if (now_ns() - checked > SECOND_NS / 10) {
            checked = now_ns();
            for (unsigned n = 0; n < begun; n++) {
                if (guests[n].asked && checked - guests[n].sent_ns > SECOND_NS) {
                    ask(fd, n, guests[n].asked);
                    again++;
                }
            }
        }
    }
    printf("rate=%.0f again=%u unserved=%u ", done / ((last - start) / 1e9), again, count - done);
    print_samples(samples, n_samples);
    printf("\n");
    return !done;
}
