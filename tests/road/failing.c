/* Preloaded into a server (LD_PRELOAD): the disk under one folder fails, as long as a test likes.

   FAILING_FOLDER is the folder, FAILING_HOW another one, in which a file switches a fault on while it is there: `sync`
   (no sync works), `slow` (a sync takes 0.3 s longer), `readonly` (nothing can be written, made, cut or removed), `gone`
   (nothing can be read either: every call is an I/O error). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define REAL(name, ...) ((__VA_ARGS__)dlsym(RTLD_NEXT, #name))

static const char *folder, *how;

__attribute__((constructor)) static void begin(void)
{
    folder = getenv("FAILING_FOLDER");
    how = getenv("FAILING_HOW");
}

static int on(const char *fault)
{
    char path[PATH_MAX];
    int before = errno;
    snprintf(path, sizeof path, "%s/%s", how, fault);
    int there = folder && how && !access(path, F_OK);
    errno = before;
    return there;
}

static int lies_there(const char *path)
{
    size_t length = strlen(folder);
    return path && !strncmp(path, folder, length) && path[length] == '/';
}

static int file_lies_there(int fd)
{
    char name[64], path[PATH_MAX] = "";
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    return readlink(name, path, sizeof path - 1) > 0 && lies_there(path);
}

/* -> the error that a change, or else a mere look, at what lies there gets now; 0 if there is none. */
static int error_now(int changes)
{
    return on("gone") ? EIO : changes && on("readonly") ? EROFS : 0;
}

static int refused(int error)
{
    errno = error;
    return -1;
}

#define SYNC(function)                                                                    \
    int function(int fd)                                                                  \
    {                                                                                     \
        if ((on("sync") || on("gone")) && file_lies_there(fd))                            \
            return refused(EIO);                                                          \
        if (on("slow") && file_lies_there(fd))                                            \
            nanosleep(&(struct timespec){0, 300000000}, NULL);                            \
        return REAL(function, int (*)(int))(fd);                                          \
    }

SYNC(fsync)
SYNC(fdatasync)

#define CALL(changes, type, function, parameters, types, fd, ...)                               \
    type function parameters                                                              \
    {                                                                                     \
        int error = error_now(changes);                                                   \
        if (error && file_lies_there(fd))                                                 \
            return refused(error);                                                        \
        return REAL(function, type (*) types)(fd, __VA_ARGS__);                           \
    }

CALL(1, ssize_t, write, (int fd, const void *data, size_t size), (int, const void *, size_t), fd, data, size)
CALL(1, ssize_t, pwrite, (int fd, const void *data, size_t size, off_t at), (int, const void *, size_t, off_t), fd, data, size, at)
CALL(1, ssize_t, pwrite64, (int fd, const void *data, size_t size, off_t at), (int, const void *, size_t, off_t), fd, data, size, at)
CALL(0, ssize_t, read, (int fd, void *data, size_t size), (int, void *, size_t), fd, data, size)
CALL(0, ssize_t, pread, (int fd, void *data, size_t size, off_t at), (int, void *, size_t, off_t), fd, data, size, at)
CALL(0, ssize_t, pread64, (int fd, void *data, size_t size, off_t at), (int, void *, size_t, off_t), fd, data, size, at)
CALL(1, int, ftruncate, (int fd, off_t length), (int, off_t), fd, length)
CALL(1, int, ftruncate64, (int fd, off_t length), (int, off_t), fd, length)

int unlink(const char *path)
{
    int error = error_now(1);
    return error && lies_there(path) ? refused(error) : REAL(unlink, int (*)(const char *))(path);
}

static int error_of_opening(const char *path, int flags)
{
    int changes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_CREAT && access(path, F_OK));
    int error = error_now(changes);
    return error && lies_there(path) ? error : 0;
}

#define OPEN(function, type, parameters, ...)                                             \
    int function parameters                                                               \
    {                                                                                     \
        mode_t mode = 0;                                                                  \
        if (flags & O_CREAT) {                                                            \
            va_list rest;                                                                 \
            va_start(rest, flags);                                                        \
            mode = va_arg(rest, int);                                                     \
            va_end(rest);                                                                 \
        }                                                                                 \
        int error = error_of_opening(path, flags);                                        \
        return error ? refused(error) : REAL(function, type)(__VA_ARGS__, mode);          \
    }

OPEN(open, int (*)(const char *, int, ...), (const char *path, int flags, ...), path, flags)
OPEN(open64, int (*)(const char *, int, ...), (const char *path, int flags, ...), path, flags)
OPEN(openat, int (*)(int, const char *, int, ...), (int at, const char *path, int flags, ...), at, path, flags)
OPEN(openat64, int (*)(int, const char *, int, ...), (int at, const char *path, int flags, ...), at, path, flags)
