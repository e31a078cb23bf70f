/* A prompt load generator: what bench.load does, in C, so that the client is never what a server waits for.
 *
 * Takes the flags of `python -m bench.load` and prints the same JSON; bench/compiled.py builds it. Besides:
 *   --silent   submit nothing: bind, say "bound" on standard error, answer whatever comes, and end after -n receipts
 *              or -t seconds. For clients that idle, and for those that come back to what waits for them.
 *
 * Invariant: a request leaves the window exactly once, by its response; what cannot be matched is counted.
 */
#include "smpp.h"
#include <getopt.h>
#include <sched.h>
#include <sys/resource.h>

enum { MOST = 64, LONGEST = 4000000 /* microseconds of a latency */, PATIENCE = 30 /* seconds for all binds */ };

/* what was asked for */
static const char *host = "127.0.0.1", *system_id = "perf", *password = "perf", *prefix = "447700";
static const char *senders[MOST] = {"ACME"};
static int port, connections = 1, window = 10, receipts, length = 40, silent, sender_count, pids[MOST], pid_count;
static uint64_t total, rate;
static double seconds = 5, warm_up, grace = 3;

/* what was counted since the clock started */
static struct {
    uint64_t sent, accepted, refused, receipts, unmatched, nacks, strays, enquiries, ids_answered, ids_received;
    int64_t started, last_response, last_receipt;
    uint32_t status[MOST];
    uint64_t statuses[MOST];
} tally;
static uint32_t latency[LONGEST + 1]; /* whole microseconds -> responses */

struct slot { uint32_t sequence; int64_t at; };
typedef struct {
    line line;          /* first, so that one is the other */
    bool bound;
    uint32_t sequence, waiting;
    struct slot *slots; /* requests under way, by sequence number */
} connection;
static connection *crowd;
static int bound_count, turn;
static uint32_t mask;
static uint64_t number, limit; /* messages of the whole run; how many of this phase, 0: any */
static bool sending;

/* -- submit_sm: encoded once for each sender; sequence number and six digits of the destination are patched -------- */

static struct { uint8_t octets[512]; int size, digits; } templates[MOST];

static uint8_t *text(uint8_t *at, const char *words) { return (uint8_t *)stpcpy((char *)at, words) + 1; }

static void encode(const char *sender, int which) {
    static const char words[] = "The quick brown fox jumps over the lazy dog 0123456789. ";
    uint8_t *start = templates[which].octets, *at = start + HEADER;
    const char *digits = sender + (*sender == '+');
    bool name = strspn(digits, "0123456789") < strlen(digits), brief = strlen(digits) <= 8;
    *at++ = 0; /* service_type */
    *at++ = name ? 5 : brief ? 3 : 1;
    *at++ = name || brief ? 0 : 1;
    at = text(at, digits);
    *at++ = 1;
    *at++ = 1;
    templates[which].digits = (int)(at + strlen(prefix) - start);
    at = text(text(at, prefix) - 1, "000000");
    memset(at, 0, 9); /* esm_class, protocol, priority, schedule, validity, receipt, replace, coding, canned */
    at[5] = receipts;
    at[9] = length;
    at += 10;
    for (int i = 0; i < length; i++) *at++ = words[i % (sizeof words - 1)];
    templates[which].size = (int)(at - start);
    head(start, at - start, SUBMIT_SM, 0);
}

static bool submit(connection *c, int64_t at) {
    uint32_t sequence = c->sequence == 0x7fffffff ? 1 : c->sequence + 1;
    struct slot *slot = &c->slots[sequence & mask];
    if (c->waiting >= (uint32_t)window || slot->sequence || (limit && tally.sent >= limit)) return false;
    int which = number % sender_count, size = templates[which].size;
    uint8_t *octets = append(&c->line, size), *digit = octets + templates[which].digits + 6;
    memcpy(octets, templates[which].octets, size);
    put(octets + 12, sequence);
    for (uint32_t value = number % 1000000; value; value /= 10) *--digit = '0' + value % 10;
    *slot = (struct slot){sequence, at};
    c->sequence = sequence;
    c->waiting++, number++, tally.sent++;
    return true;
}

static void fill(connection *c) { /* as much as the window takes, unless the peer does not read */
    int64_t at = now();
    while (c->line.open && c->bound && !c->line.armed && submit(c, at)) {}
}

static void pace(void) { /* what is due by now, one message to each connection in turn */
    int64_t at = now();
    uint64_t due = (at - tally.started) / 1e9 * rate;
    for (int skipped = 0; tally.sent < due && skipped < connections; turn = (turn + 1) % connections) {
        connection *c = &crowd[turn];
        skipped = c->line.open && !c->line.armed && submit(c, at) ? 0 : skipped + 1;
    }
    for (int i = 0; i < connections; i++)
        if (crowd[i].line.ready) flush(&crowd[i].line);
}

/* -- what comes back ----------------------------------------------------------------------------------------------- */

static uint64_t hash(const uint8_t *at, size_t size) { /* FNV-1a, stirred: sums of it are compared */
    uint64_t h = 14695981039346656037u;
    while (size--) h = (h ^ *at++) * 1099511628211u;
    return (h ^ h >> 29) * 0xbf58476d1ce4e5b9u;
}

static void response(connection *c, const uint8_t *pdu, uint32_t size, int64_t at) {
    uint32_t status = get(pdu + 8), sequence = get(pdu + 12);
    struct slot *slot = &c->slots[sequence & mask];
    if (sequence && slot->sequence == sequence) {
        int64_t us = (at - slot->at) / 1000;
        latency[us < LONGEST ? us : LONGEST]++;
        slot->sequence = 0;
        c->waiting--;
    } else {
        tally.unmatched++;
    }
    tally.last_response = at;
    if (!status) {
        tally.accepted++;
        tally.ids_answered += hash(pdu + HEADER, strnlen((const char *)pdu + HEADER, size - HEADER));
        return;
    }
    int i = 0;
    while (i < MOST - 1 && tally.status[i] && tally.status[i] != status) i++;
    tally.status[i] = status;
    tally.statuses[i]++, tally.refused++;
}

static void delivery(line *l, const uint8_t *pdu, uint32_t size, int64_t at) {
    const uint8_t *mark = memmem(pdu + HEADER, size - HEADER, "id:", 3), *end = pdu + size;
    answer(l, DELIVER_SM | RESPONSE, get(pdu + 12), "", 1);
    if (!mark) {
        tally.strays++;
        return;
    }
    const uint8_t *id = mark + 3, *stop = memchr(id, ' ', end - id);
    tally.ids_received += hash(id, (stop ? stop : end) - id);
    tally.receipts++;
    tally.last_receipt = at;
}

static void take(line *l, const uint8_t *pdu, uint32_t size, int64_t at) {
    uint32_t command = get(pdu + 4), sequence = get(pdu + 12);
    connection *c = (connection *)l;
    if (command == (SUBMIT_SM | RESPONSE)) {
        response(c, pdu, size, at);
    } else if (command == DELIVER_SM) {
        delivery(l, pdu, size, at);
    } else if (command == (BIND_TRANSCEIVER | RESPONSE)) {
        if (get(pdu + 8)) fprintf(stderr, "generator: bind refused with status 0x%08x\n", get(pdu + 8)), exit(2);
        c->bound = true;
        bound_count++;
    } else if (command == ENQUIRE_LINK || command == UNBIND) {
        tally.enquiries += command == ENQUIRE_LINK;
        answer(l, command | RESPONSE, sequence, "", 0);
        if (command == UNBIND) flush(l), leave(l);
    } else if (command == RESPONSE) {
        tally.nacks++;
    }
}

/* -- the crowd ----------------------------------------------------------------------------------------------------- */

static void join(connection *c, const struct sockaddr_in *peer) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)peer, sizeof *peer)) fail("connect");
    begin(&c->line, fd);
    c->slots = room_for((mask + 1) * sizeof *c->slots);
    c->sequence = 1;
    uint8_t body[64] = {0}, *at = text(text(body, system_id), password);
    at[1] = 0x34; /* behind an empty system_type; ton, npi and range follow */
    answer(&c->line, BIND_TRANSCEIVER, 1, (char *)body, at + 5 - body);
    flush(&c->line);
}

static void turn_once(int milliseconds) {
    struct epoll_event events[256];
    int found = epoll_wait(poller, events, 256, milliseconds);
    for (int i = 0; i < found; i++) {
        connection *c = events[i].data.ptr;
        if (c->line.open && events[i].events & ~EPOLLOUT) receive(&c->line);
        if (sending && !rate) fill(c);
        flush(&c->line);
    }
    if (sending && rate) pace();
}

static uint64_t unanswered(void) {
    uint64_t found = 0;
    for (int i = 0; i < connections; i++) found += crowd[i].line.open ? crowd[i].waiting : 0;
    return found;
}

static void start(void) {
    memset(&tally, 0, sizeof tally);
    memset(latency, 0, sizeof latency);
    tally.started = tally.last_response = tally.last_receipt = now();
}

static uint64_t done(void) { return silent ? tally.receipts : tally.accepted + tally.refused; }

static double keep_sending(double how_long, uint64_t until) { /* -> the seconds it took */
    int64_t end = tally.started + (int64_t)(how_long * 1e9);
    sending = !silent;
    limit = until;
    for (int i = 0; sending && !rate && i < connections; i++) fill(&crowd[i]), flush(&crowd[i].line);
    while (now() < end && lines && !(until && done() >= until)) turn_once(sending && rate ? 1 : 50);
    sending = false;
    int64_t last = silent ? tally.last_receipt : tally.last_response;
    return ((until && done() >= until ? last : now()) - tally.started) / 1e9;
}

static void drain(void) { /* the last response, then the last receipt; `grace` runs anew with each that comes */
    uint64_t seen = 0;
    for (int64_t since = now(); lines && now() - since < grace * 1e9; turn_once(10)) {
        if (!unanswered() && (!receipts || tally.receipts >= tally.accepted)) break;
        if (done() + tally.receipts != seen) seen = done() + tally.receipts, since = now();
    }
}

/* -- figures ------------------------------------------------------------------------------------------------------- */

typedef struct { double cpu; long long written, rss; } usage;

static long long said(int pid, const char *file, const char *format) {
    char path[64], words[256];
    long long value = 0, found;
    snprintf(path, sizeof path, "/proc/%d/%s", pid, file);
    FILE *f = fopen(path, "r");
    while (f && fgets(words, sizeof words, f))
        if (sscanf(words, format, &found) == 1) value = found;
    if (f) fclose(f);
    return value;
}

static usage used(void) {
    usage sum = {0};
    for (int i = 0; i < pid_count; i++) {
        char path[64], words[1024] = ")";
        unsigned long user = 0, system = 0;
        snprintf(path, sizeof path, "/proc/%d/stat", pids[i]);
        FILE *f = fopen(path, "r");
        if (!f || !fgets(words, sizeof words, f)) fail(path);
        fclose(f);
        sscanf(strrchr(words, ')') + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
        sum.cpu += (double)(user + system) / sysconf(_SC_CLK_TCK);
        sum.written += said(pids[i], "io", "write_bytes: %lld");
        sum.rss += said(pids[i], "status", "VmRSS: %lld");
    }
    return sum;
}

static double own(void) {
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    return r.ru_utime.tv_sec + r.ru_stime.tv_sec + (r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static double quantile(double share) { /* milliseconds that `share` of the responses did not exceed */
    uint64_t all = 0, seen = 0;
    for (int us = 0; us <= LONGEST; us++) all += latency[us];
    for (int us = 0; us <= LONGEST && all; us++)
        if ((seen += latency[us]) >= share * all && seen) return us / 1e3;
    return 0;
}

static int show(double took, uint64_t answered, usage before, usage middle, usage after, double spent) {
    double cpu = after.cpu - before.cpu, receipt_seconds = (tally.last_receipt - tally.started) / 1e9;
    bool differ = receipts && !silent && tally.ids_answered != tally.ids_received;
    uint64_t left = unanswered(), counted = silent ? tally.receipts : tally.accepted;
    int lost = connections - lines;
    printf("{\"connections\": %d, \"window\": %d, \"rate\": %lu, \"receipts_on\": %s, \"seconds\": %.3f, "
           "\"sent\": %lu, \"accepted\": %lu, \"refused\": {", connections, window, rate,
           receipts ? "true" : "false", took, tally.sent, tally.accepted);
    for (int i = 0; i < MOST && tally.statuses[i]; i++)
        printf("%s\"0x%08x\": %lu", i ? ", " : "", tally.status[i], tally.statuses[i]);
    printf("}, \"messages_per_second\": %.0f, \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f, "
           "\"receipts\": %lu, \"receipts_per_second\": %.0f, \"ids\": \"%s\", \"unmatched\": %lu, "
           "\"generic_nacks\": %lu, \"other_deliveries\": %lu, \"enquire_links\": %lu, ",
           answered / took, quantile(0.5), quantile(0.99), quantile(1), tally.receipts,
           tally.receipts ? tally.receipts / receipt_seconds : 0,
           !receipts || silent ? "-" : differ ? "differ" : "match", tally.unmatched, tally.nacks, tally.strays,
           tally.enquiries);
    printf("\"unanswered\": %lu, \"lost_connections\": %d, \"generator_share\": %.3f, "
           "\"server_cpu_seconds\": %.3f, \"server_share\": %.3f, \"server_rss_kib\": %lld, ",
           left, lost, spent / took, cpu, (middle.cpu - before.cpu) / took, after.rss);
    printf(cpu > 0 ? "\"messages_per_cpu_second\": %.0f, " : "\"messages_per_cpu_second\": null, ", counted / cpu);
    printf(counted ? "\"written_per_message\": %.1f}\n" : "\"written_per_message\": null}\n",
           (double)(after.written - before.written) / counted);
    return left || lost || tally.unmatched || differ || counted < (silent ? total : 1);
}

/* -- the program --------------------------------------------------------------------------------------------------- */

static void pin(int core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    sched_setaffinity(0, sizeof set, &set);
}

static void read_flags(int count, char **words) {
    static const struct option flags[] = {
        {"host", 1, 0, 'H'}, {"port", 1, 0, 'p'}, {"connections", 1, 0, 'c'}, {"window", 1, 0, 'w'},
        {"seconds", 1, 0, 't'}, {"total", 1, 0, 'n'}, {"rate", 1, 0, 'R'}, {"receipts", 0, 0, 'r'},
        {"length", 1, 0, 'l'}, {"system-id", 1, 0, 'u'}, {"password", 1, 0, 'P'}, {"sender", 1, 0, 'S'},
        {"prefix", 1, 0, 'x'}, {"warm-up", 1, 0, 'W'}, {"grace", 1, 0, 'g'}, {"server", 1, 0, 's'},
        {"core", 1, 0, 'C'}, {"json", 0, 0, 'j'}, {"silent", 0, &silent, 1}, {0}};
    for (int flag; (flag = getopt_long(count, words, "H:p:c:w:t:n:R:rl:u:P:s:", flags, 0)) != -1;) switch (flag) {
        case 'H': host = optarg; break;
        case 'p': port = atoi(optarg); break;
        case 'c': connections = atoi(optarg); break;
        case 'w': window = atoi(optarg); break;
        case 't': seconds = atof(optarg); break;
        case 'n': total = strtoull(optarg, 0, 10); break;
        case 'R': rate = strtoull(optarg, 0, 10); break;
        case 'r': receipts = 1; break;
        case 'l': length = atoi(optarg); break;
        case 'u': system_id = optarg; break;
        case 'P': password = optarg; break;
        case 'S': if (sender_count < MOST) senders[sender_count++] = optarg; break;
        case 'x': prefix = optarg; break;
        case 'W': warm_up = atof(optarg); break;
        case 'g': grace = atof(optarg); break;
        case 's': if (pid_count < MOST) pids[pid_count++] = atoi(optarg); break;
        case 'C': pin(atoi(optarg)); break;
        case '?': exit(2);
        }
    errno = EINVAL;
    if (!port || connections < 1 || window < 1 || length < 1 || length > 254) fail("-p, -c, -w or -l");
    if (strlen(system_id) > 15 || strlen(password) > 8 || strlen(prefix) > 14) fail("-u, -P or --prefix is too long");
    sender_count += !sender_count;
    for (int i = 0; i < sender_count; i++) {
        if (strlen(senders[i]) > 20) fail("--sender is too long");
        encode(senders[i], i);
    }
    for (mask = 1023; mask < 8u * window; mask = 2 * mask + 1) {}
}

int main(int count, char **words) {
    read_flags(count, words);
    signal(SIGPIPE, SIG_IGN);
    struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons(port)};
    if (inet_pton(AF_INET, host, &peer.sin_addr) != 1) fail("-H takes an IPv4 address");
    poller = epoll_create1(0);
    crowd = room_for(connections * sizeof *crowd);
    for (int i = 0; i < connections; i++) join(&crowd[i], &peer);
    errno = ETIMEDOUT;
    for (int64_t end = now() + (int64_t)PATIENCE * SECOND; bound_count < connections; turn_once(50))
        if (now() > end || lines < connections) fail("not every connection could bind");
    if (silent) fprintf(stderr, "bound\n");
    if (warm_up > 0) start(), keep_sending(warm_up, 0), drain();
    if (silent) tally.started = now(); /* what came while the others were still binding counts */
    else start();
    usage before = used();
    double own_before = own(), took = keep_sending(seconds, total), spent = own() - own_before;
    uint64_t answered = done();
    usage middle = used();
    if (!silent) drain();
    int ended = show(took, answered, before, middle, used(), spent);
    for (int i = 0; i < connections; i++)
        if (crowd[i].line.open) answer(&crowd[i].line, UNBIND, crowd[i].sequence + 1, "", 0), flush(&crowd[i].line);
    for (int64_t end = now() + 3ll * SECOND / 10; lines && now() < end;) turn_once(20);
    return ended;
}
