/* Preloaded into a server (LD_PRELOAD): writes down every write, sync and change of a name in one folder, in their order.

   RECORDED_FOLDER is the folder, RECORDED_TO the file that is appended to. One lock is held over each call and its
   record, so the order of the records is that of the effects; a sync is recorded when it has returned, with the time.
   What is mapped is not seen: of SQLite's files that is the -shm, which no power cut leaves anything of. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define REAL(name, ...) ((__VA_ARGS__)dlsym(RTLD_NEXT, #name))
#define FILES 65536

struct head {
    uint64_t at, file;
    int64_t offset;
    uint32_t length, name;
    char what, padding[7];
};

static int out = -1;
static const char *folder;
static size_t folder_length;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned char tracked[FILES];

__attribute__((constructor)) static void begin(void)
{
    const char *to = getenv("RECORDED_TO");
    folder = getenv("RECORDED_FOLDER");
    if (to && folder) {
        folder_length = strlen(folder);
        out = syscall(SYS_openat, AT_FDCWD, to, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    }
}

/* -> its name in the folder, "" for the folder itself, NULL for what lies elsewhere. */
static const char *name_of(const char *path)
{
    if (out < 0 || !path || strncmp(path, folder, folder_length))
        return NULL;
    path += folder_length;
    if (!*path)
        return path;
    return *path == '/' && !strchr(path + 1, '/') ? path + 1 : NULL;
}

static int watched(int fd)
{
    return out >= 0 && fd >= 0 && fd < FILES && tracked[fd];
}

static void note(char what, int fd, const char *name, int64_t offset, const void *data, size_t length)
{
    int before = errno;
    struct timespec now;
    struct stat status = {0};
    if (fd >= 0)
        fstat(fd, &status);
    clock_gettime(CLOCK_MONOTONIC, &now);
    struct head head = {now.tv_sec * 1000000000ull + now.tv_nsec, status.st_ino, offset, length, strlen(name), what, {0}};
    if (what == 'S' && S_ISDIR(status.st_mode))
        head.what = 'D';
    struct iovec parts[] = {{&head, sizeof head}, {(void *)name, head.name}, {(void *)data, length}};
    if (syscall(SYS_writev, out, parts, 3) != (long)(sizeof head + head.name + length))
        abort(); /* a recording with a hole proves nothing */
    errno = before;
}

static int opened(int fd, const char *name, int flags, int existed)
{
    if (fd >= 0 && fd < FILES && name) {
        tracked[fd] = 1;
        if (*name && !existed)
            note('C', fd, name, 0, "", 0);
        else if (flags & O_TRUNC)
            note('T', fd, "", 0, "", 0);
    }
    return fd;
}

#define OPEN(function, type, parameters, path, ...)                                        \
    int function parameters                                                                \
    {                                                                                      \
        mode_t mode = 0;                                                                   \
        if (flags & O_CREAT) {                                                             \
            va_list rest;                                                                  \
            va_start(rest, flags);                                                         \
            mode = va_arg(rest, int);                                                      \
            va_end(rest);                                                                  \
        }                                                                                  \
        const char *name = name_of(path);                                                  \
        if (!name)                                                                         \
            return REAL(function, type)(__VA_ARGS__, mode);                                \
        pthread_mutex_lock(&lock);                                                         \
        int existed = !syscall(SYS_faccessat, AT_FDCWD, path, F_OK);                       \
        int fd = opened(REAL(function, type)(__VA_ARGS__, mode), name, flags, existed);    \
        pthread_mutex_unlock(&lock);                                                       \
        return fd;                                                                         \
    }

OPEN(open, int (*)(const char *, int, ...), (const char *path, int flags, ...), path, path, flags)
OPEN(open64, int (*)(const char *, int, ...), (const char *path, int flags, ...), path, path, flags)
OPEN(openat, int (*)(int, const char *, int, ...), (int at, const char *path, int flags, ...), path, at, path, flags)
OPEN(openat64, int (*)(int, const char *, int, ...), (int at, const char *path, int flags, ...), path, at, path, flags)

int close(int fd)
{
    if (!watched(fd))
        return REAL(close, int (*)(int))(fd);
    pthread_mutex_lock(&lock);
    tracked[fd] = 0;
    int said = REAL(close, int (*)(int))(fd);
    pthread_mutex_unlock(&lock);
    return said;
}

#define PWRITE(function)                                                                                       \
    ssize_t function(int fd, const void *data, size_t length, off_t offset)                                    \
    {                                                                                                          \
        ssize_t (*real)(int, const void *, size_t, off_t) = REAL(function, ssize_t (*)(int, const void *, size_t, off_t)); \
        if (!watched(fd))                                                                                      \
            return real(fd, data, length, offset);                                                             \
        pthread_mutex_lock(&lock);                                                                             \
        ssize_t written = real(fd, data, length, offset);                                                      \
        if (written > 0)                                                                                       \
            note('W', fd, "", offset, data, written);                                                          \
        pthread_mutex_unlock(&lock);                                                                           \
        return written;                                                                                        \
    }

PWRITE(pwrite)
PWRITE(pwrite64)

ssize_t write(int fd, const void *data, size_t length)
{
    ssize_t (*real)(int, const void *, size_t) = REAL(write, ssize_t (*)(int, const void *, size_t));
    if (!watched(fd))
        return real(fd, data, length);
    pthread_mutex_lock(&lock);
    ssize_t written = real(fd, data, length);
    if (written > 0)
        note('W', fd, "", lseek(fd, 0, SEEK_CUR) - written, data, written);
    pthread_mutex_unlock(&lock);
    return written;
}

#define SYNC(function)                                            \
    int function(int fd)                                          \
    {                                                             \
        int (*real)(int) = REAL(function, int (*)(int));          \
        if (!watched(fd))                                         \
            return real(fd);                                      \
        pthread_mutex_lock(&lock);                                \
        int said = real(fd);                                      \
        if (!said)                                                \
            note('S', fd, "", 0, "", 0);                          \
        pthread_mutex_unlock(&lock);                              \
        return said;                                              \
    }

SYNC(fsync)
SYNC(fdatasync)

#define TRUNCATE(function)                                                       \
    int function(int fd, off_t length)                                           \
    {                                                                            \
        int (*real)(int, off_t) = REAL(function, int (*)(int, off_t));           \
        if (!watched(fd))                                                        \
            return real(fd, length);                                             \
        pthread_mutex_lock(&lock);                                               \
        int said = real(fd, length);                                             \
        if (!said)                                                               \
            note('T', fd, "", length, "", 0);                                    \
        pthread_mutex_unlock(&lock);                                             \
        return said;                                                             \
    }

TRUNCATE(ftruncate)
TRUNCATE(ftruncate64)

int unlink(const char *path)
{
    int (*real)(const char *) = REAL(unlink, int (*)(const char *));
    const char *name = name_of(path);
    if (!name)
        return real(path);
    pthread_mutex_lock(&lock);
    int said = real(path);
    if (!said)
        note('U', -1, name, 0, "", 0);
    pthread_mutex_unlock(&lock);
    return said;
}

int rename(const char *from, const char *to)
{
    int (*real)(const char *, const char *) = REAL(rename, int (*)(const char *, const char *));
    const char *name = name_of(from), *other = name_of(to);
    if (!name || !other)
        return real(from, to);
    pthread_mutex_lock(&lock);
    int said = real(from, to);
    if (!said)
        note('R', -1, name, 0, other, strlen(other));
    pthread_mutex_unlock(&lock);
    return said;
}
