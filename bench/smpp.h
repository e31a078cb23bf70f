/* What the two C programs of the benchmark share: octets of SMPP 3.4, and a connection that reads and writes in bulk.
 *
 * Invariant: one read and one write for each wake-up of a connection. Lengths are believed, within limits. The program
 * that includes this defines `take`, which is given each whole PDU.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { HEADER = 16, SUBMIT_SM = 4, DELIVER_SM = 5, UNBIND = 6, BIND_TRANSCEIVER = 9, ENQUIRE_LINK = 0x15 };
enum { READ = 1 << 18, LARGEST = 70000, SECOND = 1000000000 };
static const uint32_t RESPONSE = 0x80000000u; /* alone it is generic_nack */

typedef struct {
    int fd;
    bool open, armed;            /* `armed`: the socket takes no more, we wait until it does */
    uint32_t rest;               /* octets of a PDU that has not come whole */
    uint8_t *in, *out;
    size_t ready, written, room; /* of `out`: filled, handed to the socket, allocated */
} line;
static int poller, lines;        /* how many are open */

static void take(line *l, const uint8_t *pdu, uint32_t size, int64_t at);

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * SECOND + t.tv_nsec;
}

static void fail(const char *what) {
    fprintf(stderr, "%s: %s\n", what, errno ? strerror(errno) : "cannot go on");
    exit(2);
}

static void *room_for(size_t octets) {
    void *room = calloc(1, octets);
    if (!room) fail("memory");
    return room;
}

static uint32_t get(const uint8_t *at) { return (uint32_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3]; }

static void put(uint8_t *at, uint32_t value) {
    value = htonl(value);
    memcpy(at, &value, 4);
}

static void head(uint8_t *at, uint32_t size, uint32_t command, uint32_t sequence) {
    put(at, size);
    put(at + 4, command);
    put(at + 8, 0);
    put(at + 12, sequence);
}

static uint8_t *append(line *l, size_t octets) {
    if (l->ready + octets > l->room) {
        l->room = 2 * (l->ready + octets);
        if (!(l->out = realloc(l->out, l->room))) fail("memory");
    }
    l->ready += octets;
    return l->out + l->ready - octets;
}

static void answer(line *l, uint32_t command, uint32_t sequence, const char *body, size_t octets) {
    uint8_t *at = append(l, HEADER + octets);
    head(at, HEADER + octets, command, sequence);
    memcpy(at + HEADER, body, octets);
}

static void begin(line *l, int fd) {
    int yes = 1;
    *l = (line){.fd = fd, .open = true, .in = room_for(READ)};
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = l};
    epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
    lines++;
}

static void leave(line *l) {
    if (!l->open) return;
    l->open = false;
    lines--;
    close(l->fd);
    free(l->in);
    free(l->out);
    l->in = l->out = NULL;
    l->ready = l->written = l->room = 0;
}

static void flush(line *l) {
    while (l->open && l->written < l->ready) {
        ssize_t taken = write(l->fd, l->out + l->written, l->ready - l->written);
        if (taken > 0) l->written += taken;
        else if (errno == EAGAIN) break;
        else if (errno != EINTR) leave(l);
    }
    if (l->written == l->ready) l->written = l->ready = 0;
    if (l->open && l->armed != (l->ready > 0)) {
        l->armed = !l->armed;
        struct epoll_event event = {.events = EPOLLIN | (l->armed ? EPOLLOUT : 0), .data.ptr = l};
        epoll_ctl(poller, EPOLL_CTL_MOD, l->fd, &event);
    }
}

static void receive(line *l) {
    ssize_t came = read(l->fd, l->in + l->rest, READ - l->rest);
    if (came < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (came <= 0) {
        leave(l);
        return;
    }
    int64_t at = now();
    uint32_t used = 0, there = l->rest + came, size;
    for (; l->open && there - used >= HEADER; used += size) {
        size = get(l->in + used);
        errno = EPROTO;
        if (size < HEADER || size > LARGEST) fail("command_length");
        if (there - used < size) break;
        take(l, l->in + used, size, at);
    }
    if (l->open) memmove(l->in, l->in + used, l->rest = there - used);
}
