// SPDX-License-Identifier: Apache-2.0
/* floor: a controller that does nothing, as fast as can be.
 *
 *   floor RUNDIR/BRIDGE.mgmt
 *
 * Every packet-in is resumed with its message type turned into that of the answer, and the result
 * bit set: no option is read, no reply built.  With the same flows on the bridge, its rate is what
 * Open vSwitch itself allows any controller.  It knows the requests of bench/guest.h only. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { VERSION = 6, ECHO_REQUEST = 2, ECHO_REPLY = 3, EXPERIMENTER = 4 };
enum { PACKET_IN2 = 30, RESUME = 28, SUBTYPE = 12, BODY = 16 };
enum { PACKET = 0, METADATA = 6, CONTINUATION = 8 };
enum { ETHERTYPE = 12, PROTOCOL6 = 20, BOOTP_OP = 42, DHCPV4_TYPE = 284, DHCPV6_TYPE = 62, ICMPV6_TYPE = 54 };

static unsigned get16(const uint8_t *at) { return at[0] << 8 | at[1]; }
static void put16(uint8_t *at, unsigned value) { at[0] = value >> 8; at[1] = value; }
static size_t padded(size_t size) { return (size + 7) / 8 * 8; }

/* Make an answer of a request; returns the result bit in reg0. */
static unsigned answer(uint8_t *frame)
{
    if (get16(frame + ETHERTYPE) == 0x800) {
        frame[BOOTP_OP] = 2;
        frame[DHCPV4_TYPE] = frame[DHCPV4_TYPE] == 1 ? 2 : 5;
        return 3;
    }
    if (frame[PROTOCOL6] == 17) {
        frame[DHCPV6_TYPE] = frame[DHCPV6_TYPE] == 1 ? 2 : 7;
        return 3;
    }
    frame[ICMPV6_TYPE] = 134;
    return 5;
}

/* The resume for a packet-in, written to "out"; returns its size. */
static size_t resume(const uint8_t *message, size_t size, uint8_t *out)
{
    uint8_t reg0[] = {0x80, 1, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0}; /* OXM_OF_PKT_REG(0) */
    memcpy(out, message, BODY);
    out[SUBTYPE + 3] = RESUME;
    memset(out + 4, 0, 4);
    size_t end = BODY;
    for (size_t at = BODY; at < size; at += padded(get16(message + at + 2))) {
        unsigned kind = get16(message + at), length = get16(message + at + 2);
        if (kind != PACKET && kind != METADATA && kind != CONTINUATION)
            continue;
        memset(out + end, 0, padded(length) + 16);
        memcpy(out + end, message + at, length);
        if (kind == PACKET)
            reg0[7] = 1 << answer(out + end + 4);
        if (kind == METADATA) {
            memcpy(out + end + length, reg0, sizeof reg0);
            length += sizeof reg0;
            put16(out + end + 2, length);
        }
        end += padded(length);
    }
    put16(out + 2, end);
    return end;
}

int main(int argc, char **argv)
{
    static uint8_t in[1 << 20], out[2 << 20];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", argc > 1 ? argv[1] : "");
    if (connect(fd, (struct sockaddr *) &address, sizeof address)) {
        perror(address.sun_path);
        return 1;
    }
    static const uint8_t hello[] = {
        VERSION, 0, 0, 8, 0, 0, 0, 1,
        VERSION, EXPERIMENTER, 0, 20, 0, 0, 0, 2, 0, 0, 0x23, 0x20, 0, 0, 0, 16, 0, 0, 0, 2,
        VERSION, 9, 0, 12, 0, 0, 0, 3, 0, 0, 0xff, 0xff, /* SET_CONFIG, miss_send_len */
    };
    if (write(fd, hello, sizeof hello) < 0)
        return 1;
    size_t held = 0;
    ssize_t got;
    while ((got = read(fd, in + held, sizeof in - held)) > 0) {
        held += got;
        size_t at = 0, end = 0;
        while (held - at >= 8 && held - at >= get16(in + at + 2)) {
            const uint8_t *message = in + at;
            size_t size = get16(message + 2);
            if (message[1] == ECHO_REQUEST) {
                memcpy(out + end, message, size);
                out[end + 1] = ECHO_REPLY;
                end += size;
            } else if (message[1] == EXPERIMENTER && message[SUBTYPE + 3] == PACKET_IN2) {
                end += resume(message, size, out + end);
            }
            at += size;
        }
        memmove(in, in + at, held -= at);
        for (size_t done = 0; done < end; done += got)
            if ((got = write(fd, out + done, end - done)) <= 0)
                return 1;
    }
    return 0;
}
