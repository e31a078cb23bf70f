/* The floor: what this machine's kernel and sockets cost any server that answers a submit_sm and sends a receipt.
 *
 * floor PORT: every bind is welcome, every submit_sm is answered and its receipt sent in the same write. No rules, no
 * money, nothing stored. Invariant: one response and at most one receipt a message, with the same id.
 */
#include "smpp.h"

enum { FULL = 1 << 20 }; /* octets that wait for a peer before it is read no more */

static uint64_t last_id = 7000000000000000000u; /* as long as a real server's */
static uint32_t sequence;
static char minute[11];

static const uint8_t *behind(const uint8_t *at, const uint8_t *end) { /* the octet behind a C string, or `end` */
    const uint8_t *stop = memchr(at, 0, end - at);
    return stop ? stop + 1 : end;
}

static const uint8_t *behind_address(const uint8_t *at, const uint8_t *end) { /* ton, npi, C string */
    return at + 2 < end ? behind(at + 2, end) : end;
}

static void receipt(line *l, const char *id, const uint8_t *source, size_t source_size, const uint8_t *target,
                    size_t target_size) {
    char words[160];
    int size = sprintf(words, "id:%s sub:001 dlvrd:001 submit date:%s done date:%s stat:DELIVRD err:000"
                       " text:The quick brown fox ", id, minute, minute);
    size_t whole = HEADER + 1 + target_size + source_size + 10 + size;
    uint8_t *at = append(l, whole);
    head(at, whole, DELIVER_SM, ++sequence & 0x7fffffff);
    at += HEADER;
    *at++ = 0;
    at = (uint8_t *)mempcpy(at, target, target_size);
    at = (uint8_t *)mempcpy(at, source, source_size);
    memset(at, 0, 9);
    at[0] = 4; /* esm_class: a receipt */
    at[9] = size;
    memcpy(at + 10, words, size);
}

static void submit(line *l, const uint8_t *pdu, uint32_t size) {
    const uint8_t *end = pdu + size, *source = behind(pdu + HEADER, end), *target = behind_address(source, end);
    const uint8_t *rest = behind_address(target, end);
    const uint8_t *flag = rest + 3 < end ? behind(behind(rest + 3, end), end) : end; /* behind two times */
    char id[24];
    int octets = sprintf(id, "%lu", ++last_id) + 1;
    answer(l, SUBMIT_SM | RESPONSE, get(pdu + 12), id, octets);
    if (flag < end && *flag & 1 && rest - source <= 64)
        receipt(l, id, source, target - source, target, rest - target);
}

static void take(line *l, const uint8_t *pdu, uint32_t size, int64_t at) {
    uint32_t command = get(pdu + 4);
    (void)at;
    if (command == SUBMIT_SM) submit(l, pdu, size);
    else if (command == BIND_TRANSCEIVER) answer(l, command | RESPONSE, get(pdu + 12), "floor", 6);
    else if (command == UNBIND || command == ENQUIRE_LINK) answer(l, command | RESPONSE, get(pdu + 12), "", 0);
}

static int listen_on(int port) {
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (fd < 0 || bind(fd, (struct sockaddr *)&here, sizeof here) || listen(fd, 512)) fail("listen");
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
    return fd;
}

int main(int count, char **words) {
    signal(SIGPIPE, SIG_IGN);
    poller = epoll_create1(0);
    int door = listen_on(count > 1 ? atoi(words[1]) : 2775);
    for (;;) {
        struct epoll_event events[128];
        int found = epoll_wait(poller, events, 128, -1);
        time_t today = time(NULL);
        strftime(minute, sizeof minute, "%y%m%d%H%M", gmtime(&today));
        for (int i = 0; i < found; i++) {
            line *l = events[i].data.ptr;
            if (!l) {
                int fd = accept(door, NULL, NULL);
                if (fd >= 0) begin(room_for(sizeof *l), fd);
                continue;
            }
            if (l->ready < FULL && events[i].events & ~EPOLLOUT) receive(l);
            flush(l);
            if (!l->open) free(l);
        }
    }
}
