/* A disk that fails where it is told to: loaded into the program (LD_PRELOAD) in front of the C library.
 *
 * Every call that touches a file below one folder is a step. The steps of the class that is asked for are counted, over
 * all processes of a run, in a file that they share with the test; at step number STEP the fault strikes. All else goes
 * on to the C library. Locks and the closing of files do not fail: a disk does neither.
 *
 * A run that is only recorded is not struck: it notes for each step from which place in the program it was taken. Nor is
 * one that is logged: it writes down what it does. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

/* What a step does. Each class has those below it: what needs room changes something. */
enum { LOOKS = 1, CHANGES = 2, NEEDS_ROOM = 3 };

/* So many steps are recorded. */
enum { RECORDED = 1 << 16 };

/* As the test reads it. */
struct account {
    _Atomic unsigned long steps;
    /* Of the step at which the fault struck: the call and the path. */
    char struck[4096 - sizeof(unsigned long)];
    /* Of each step, where it is recorded: its place, and in the two lowest bits its class. */
    unsigned long places[RECORDED];
};

static struct account *account;
static uintptr_t program_begins, program_ends;
static const char *folder, *fault;
static size_t folder_length;
static unsigned long strikes_at;
static int counted, error, log_file;

static const char *setting(const char *name) {
    const char *value = getenv(name);
    return value ? value : "";
}

static int is(const char *name) { return strcmp(fault, name) == 0; }

/* Of the program itself, which is the first one that is told of. */
static int note_program(struct dl_phdr_info *object, size_t size, void *unused) {
    (void)size, (void)unused;
    program_begins = object->dlpi_addr;
    for (int at = 0; at < object->dlpi_phnum; at++) {
        const ElfW(Phdr) *part = &object->dlpi_phdr[at];
        uintptr_t end = object->dlpi_addr + part->p_vaddr + part->p_memsz;
        if (part->p_type == PT_LOAD && end > program_ends)
            program_ends = end;
    }
    return 1;
}

__attribute__((constructor)) static void begin(int count, char **arguments) {
    /* Who clears away after a run that is killed: the test tells whether its disk is another one. */
    if (count > 1 && strcmp(arguments[1], setting("FAILING_DISK_SPARES")) == 0)
        return;
    int file = open(setting("FAILING_DISK_ACCOUNT"), O_RDWR | O_CLOEXEC);
    if (file < 0)
        return;
    void *shared = mmap(NULL, sizeof *account, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    folder = setting("FAILING_DISK_FOLDER");
    folder_length = strlen(folder);
    fault = setting("FAILING_DISK_FAULT");
    strikes_at = strtoul(setting("FAILING_DISK_STEP"), NULL, 10);
    counted = atoi(setting("FAILING_DISK_CLASS"));
    error = atoi(setting("FAILING_DISK_ERROR"));
    dl_iterate_phdr(note_program, NULL);
    if (is("logged"))
        log_file = open(setting("FAILING_DISK_LOG"), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    if (shared != MAP_FAILED && folder_length)
        account = shared;
}

static int is_below(const char *path) {
    return strncmp(path, folder, folder_length) == 0 && (path[folder_length] == '/' || path[folder_length] == 0);
}

/* Where an open file or folder lies; nothing where that cannot be told. */
static void path_of(int file, char *path) {
    char link[32];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, PATH_MAX);
    path[length < 0 ? 0 : length] = 0;
}

/* The path that a call means. */
static void whole_path(int of, const char *name, char *path) {
    path[0] = 0;
    if (name[0] != '/') {
        if (of != AT_FDCWD)
            path_of(of, path);
        else if (!getcwd(path, PATH_MAX))
            path[0] = 0;
        strncat(path, "/", PATH_MAX - strlen(path));
    }
    strncat(path, name, PATH_MAX - strlen(path));
}

/* The callers that make a place: those nearest to the call. */
enum { CALLERS = 10 };

/* A place in the program: the call, and who called whom just before, wherever the program was loaded to. */
static unsigned long place(const char *call) {
    unsigned long hash = 0xcbf29ce484222325;
    for (; *call; call++)
        hash = (hash ^ (unsigned char)*call) * 0x100000001b3;
    void *callers[2 * CALLERS];
    int depth = backtrace(callers, sizeof callers / sizeof *callers);
    for (int at = 0, of_program = 0; at < depth && of_program < CALLERS; at++) {
        uintptr_t caller = (uintptr_t)callers[at];
        if (caller < program_begins || caller >= program_ends)
            continue;
        hash = (hash ^ (caller - program_begins)) * 0x100000001b3;
        of_program++;
    }
    return hash;
}

/* Counts a step. Other than 0: it fails, and `errno` says how. */
static int strikes(int class, const char *call, const char *path) {
    if (!is_below(path) || class < counted)
        return 0;
    unsigned long number = atomic_fetch_add(&account->steps, 1) + 1;
    if (is("logged")) {
        int before = errno;
        dprintf(log_file, "%d %s %s\n", class, call, path);
        errno = before;
        return 0;
    }
    if (is("recorded") && number <= RECORDED) {
        int before = errno;
        account->places[number - 1] = (place(call) & ~3ul) | class;
        errno = before;
        return 0;
    }
    if (number == strikes_at)
        snprintf(account->struck, sizeof account->struck, "%s %s", call, path);
    if (!strikes_at || number < strikes_at || (number > strikes_at && !is("for good")))
        return 0;
    if (is("killed")) {
        raise(SIGKILL);
    } else if (is("vanished")) {
        char away[PATH_MAX + 8];
        snprintf(away, sizeof away, "%s.away", folder);
        static int (*move)(const char *, const char *);
        move = dlsym(RTLD_NEXT, "rename");
        move(folder, away);
        return 0;
    }
    errno = error;
    return 1;
}

static int strikes_at_path(int class, const char *call, int of, const char *name) {
    if (!account)
        return 0;
    char path[PATH_MAX + 1];
    int before = errno;
    whole_path(of, name, path);
    errno = before;
    return strikes(class, call, path);
}

static int is_path_below(int of, const char *name) {
    char path[PATH_MAX + 1];
    int before = errno;
    whole_path(of, name, path);
    errno = before;
    return is_below(path);
}

static int strikes_at_file(int class, const char *call, int file) {
    if (!account)
        return 0;
    char path[PATH_MAX + 1];
    int before = errno;
    path_of(file, path);
    errno = before;
    return strikes(class, call, path);
}

/* A slow disk, and no bad one: of the reads and writes every third is interrupted, and every third is cut short. */
static int hindered(int file, size_t *bytes) {
    static _Atomic unsigned turn;
    if (!account || !is("hindered"))
        return 0;
    char path[PATH_MAX + 1];
    int before = errno;
    path_of(file, path);
    errno = before;
    if (!is_below(path))
        return 0;
    switch (atomic_fetch_add(&turn, 1) % 3) {
    case 0:
        atomic_fetch_add(&account->steps, 1);
        errno = EINTR;
        return 1;
    case 1:
        *bytes = *bytes > 1 ? *bytes / 2 : *bytes;
    }
    return 0;
}

#define REAL(name)                                                                                                     \
    static __typeof__(name) *real;                                                                                     \
    if (!real)                                                                                                         \
        real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name);

/* Opening makes a file where there is none, and empties one where that is asked. */
static int class_of_opening(int of, const char *name, int flags) {
    if (flags & O_CREAT && faccessat(of, name, F_OK, AT_SYMLINK_NOFOLLOW) != 0)
        return NEEDS_ROOM;
    return flags & O_TRUNC ? CHANGES : LOOKS;
}

#define OPENS(name, of, parameters, arguments)                                                                         \
    int name parameters {                                                                                              \
        REAL(name)                                                                                                     \
        mode_t mode = 0;                                                                                               \
        if (flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))) {                                                          \
            va_list more;                                                                                              \
            va_start(more, flags);                                                                                     \
            mode = va_arg(more, mode_t);                                                                               \
            va_end(more);                                                                                              \
        }                                                                                                              \
        int before = errno;                                                                                            \
        int class = account ? class_of_opening(of, path, flags) : LOOKS;                                               \
        errno = before;                                                                                                \
        return strikes_at_path(class, #name, of, path) ? -1 : real arguments;                                          \
    }
OPENS(open, AT_FDCWD, (const char *path, int flags, ...), (path, flags, mode))
OPENS(open64, AT_FDCWD, (const char *path, int flags, ...), (path, flags, mode))
OPENS(openat, of, (int of, const char *path, int flags, ...), (of, path, flags, mode))
OPENS(openat64, of, (int of, const char *path, int flags, ...), (of, path, flags, mode))

/* Calls that move `bytes` bytes from or to an open file. */
#define MOVES(class, name, parameters, arguments)                                                                      \
    ssize_t name parameters {                                                                                          \
        REAL(name)                                                                                                     \
        return hindered(file, &bytes) || strikes_at_file(class, #name, file) ? -1 : real arguments;                    \
    }
MOVES(LOOKS, read, (int file, void *to, size_t bytes), (file, to, bytes))
MOVES(LOOKS, pread, (int file, void *to, size_t bytes, off_t at), (file, to, bytes, at))
MOVES(LOOKS, pread64, (int file, void *to, size_t bytes, off64_t at), (file, to, bytes, at))
MOVES(NEEDS_ROOM, write, (int file, const void *from, size_t bytes), (file, from, bytes))
MOVES(NEEDS_ROOM, pwrite, (int file, const void *from, size_t bytes, off_t at), (file, from, bytes, at))
MOVES(NEEDS_ROOM, pwrite64, (int file, const void *from, size_t bytes, off64_t at), (file, from, bytes, at))

/* Calls about one open file. */
#define FILE_CALL(class, type, name, parameters, arguments)                                                            \
    type name parameters {                                                                                             \
        REAL(name)                                                                                                     \
        return strikes_at_file(class, #name, file) ? -1 : real arguments;                                              \
    }
FILE_CALL(LOOKS, ssize_t, readv, (int file, const struct iovec *to, int pieces), (file, to, pieces))
FILE_CALL(NEEDS_ROOM, ssize_t, writev, (int file, const struct iovec *from, int pieces), (file, from, pieces))
FILE_CALL(LOOKS, int, fstat64, (int file, struct stat64 *about), (file, about))
FILE_CALL(NEEDS_ROOM, int, fsync, (int file), (file))
FILE_CALL(NEEDS_ROOM, int, fdatasync, (int file), (file))
FILE_CALL(CHANGES, int, ftruncate64, (int file, off64_t size), (file, size))
FILE_CALL(CHANGES, int, fchmod, (int file, mode_t mode), (file, mode))
FILE_CALL(CHANGES, int, futimens, (int file, const struct timespec times[2]), (file, times))

/* Calls about one path. */
#define PATH_CALL(class, name, of, parameters, arguments)                                                              \
    int name parameters {                                                                                              \
        REAL(name)                                                                                                     \
        return strikes_at_path(class, #name, of, path) ? -1 : real arguments;                                          \
    }
PATH_CALL(LOOKS, access, AT_FDCWD, (const char *path, int how), (path, how))
PATH_CALL(LOOKS, stat64, AT_FDCWD, (const char *path, struct stat64 *about), (path, about))
PATH_CALL(LOOKS, lstat64, AT_FDCWD, (const char *path, struct stat64 *about), (path, about))
PATH_CALL(LOOKS, fstatat64, of, (int of, const char *path, struct stat64 *about, int flags), (of, path, about, flags))
PATH_CALL(NEEDS_ROOM, mkdir, AT_FDCWD, (const char *path, mode_t mode), (path, mode))
PATH_CALL(CHANGES, chmod, AT_FDCWD, (const char *path, mode_t mode), (path, mode))
PATH_CALL(CHANGES, rmdir, AT_FDCWD, (const char *path), (path))
PATH_CALL(CHANGES, unlink, AT_FDCWD, (const char *path), (path))
PATH_CALL(CHANGES, unlinkat, of, (int of, const char *path, int flags), (of, path, flags))
PATH_CALL(CHANGES, utimes, AT_FDCWD, (const char *path, const struct timeval times[2]), (path, times))

int statx(int of, const char *restrict path, int flags, unsigned mask, struct statx *restrict about) {
    REAL(statx)
    /* Rust asks so whether there is such a call. */
    const char *volatile asked = path;
    if (!asked)
        return real(of, path, flags, mask, about);
    int of_file = flags & AT_EMPTY_PATH && !path[0];
    int fails = of_file ? strikes_at_file(LOOKS, "statx", of) : strikes_at_path(LOOKS, "statx", of, path);
    return fails ? -1 : real(of, path, flags, mask, about);
}

DIR *opendir(const char *path) {
    REAL(opendir)
    return strikes_at_path(LOOKS, "opendir", AT_FDCWD, path) ? NULL : real(path);
}

struct dirent64 *readdir64(DIR *entries) {
    REAL(readdir64)
    return strikes_at_file(LOOKS, "readdir64", dirfd(entries)) ? NULL : real(entries);
}

/* Calls about two paths or files: each of them may lie below the folder. */
int rename(const char *from, const char *to) {
    REAL(rename)
    /* Where both lie there, it is one step. Names take room, but hardly ever a block. */
    const char *which = account && is_path_below(AT_FDCWD, to) ? to : from;
    return strikes_at_path(CHANGES, "rename", AT_FDCWD, which) ? -1 : real(from, to);
}

int linkat(int from_of, const char *from, int to_of, const char *to, int flags) {
    REAL(linkat)
    return strikes_at_path(NEEDS_ROOM, "linkat", to_of, to) ? -1 : real(from_of, from, to_of, to, flags);
}

ssize_t copy_file_range(int from, off64_t *at, int to, off64_t *to_at, size_t bytes, unsigned flags) {
    REAL(copy_file_range)
    int fails = strikes_at_file(LOOKS, "copy_file_range from", from) ||
                strikes_at_file(NEEDS_ROOM, "copy_file_range to", to);
    return fails ? -1 : real(from, at, to, to_at, bytes, flags);
}

ssize_t sendfile64(int to, int from, off64_t *at, size_t bytes) {
    REAL(sendfile64)
    int fails =
        strikes_at_file(LOOKS, "sendfile from", from) || strikes_at_file(NEEDS_ROOM, "sendfile to", to);
    return fails ? -1 : real(to, from, at, bytes);
}
