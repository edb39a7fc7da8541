import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What a process is told to use in place of what the system has for disks; the reason where this machine cannot build it. */
export type Shim = { readonly path: string } | { readonly reason: string };

/** Builds a library of such functions from C. */
export function buildShim(directory: string, source: string): Shim {
  if (process.platform !== "linux") return { reason: "only on Linux" };
  const [file, path] = [join(directory, "shim.c"), join(directory, "shim.so")];
  writeFileSync(file, source);
  const { status } = spawnSync(process.env["CC"] ?? "cc", ["-shared", "-fPIC", "-O1", "-o", path, file, "-ldl"]);
  return status === 0 ? { path } : { reason: "no C compiler" };
}

/**
 * Counts what a process does to its disk, from when the file STEP_SIGN is there: at step STEP_AT the process ends as by a kill (STEP_HOW is "kill"), or
 * from then on there is no room ("full"), as long as the file stays. What was synced or made is told, by its path, in STEP_LOG.
 */
const source = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#define REAL(name, type) ((type)dlsym(RTLD_NEXT, name))
static atomic_int count;
static int is_armed(void) {
  const char *sign = getenv("STEP_SIGN");
  return sign && access(sign, F_OK) == 0;
}
static void tell(const char *what, const char *path) {
  const char *log = getenv("STEP_LOG");
  if (!log) return;
  char line[4600];
  int length = snprintf(line, sizeof line, "%s %s\\n", what, path);
  int fd = REAL("open", int (*)(const char *, int, ...))(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (fd < 0) return;
  if (REAL("write", ssize_t (*)(int, const void *, size_t))(fd, line, length) < 0) {}
  close(fd);
}
static void tell_fd(const char *what, int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return;
  path[length] = 0;
  tell(what, path);
}
static int step(int takes_room) {
  if (!is_armed()) return 0;
  int is_kill = !strcmp(getenv("STEP_HOW"), "kill");
  if (!is_kill && !takes_room) return 0;
  if (++count < atoi(getenv("STEP_AT"))) return 0;
  if (is_kill) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
  }
  errno = ENOSPC;
  return -1;
}
static int is_file(int fd) {
  struct stat found;
  return fstat(fd, &found) == 0 && S_ISREG(found.st_mode);
}
int fsync(int fd) { if (step(0)) return -1; tell_fd("sync", fd); return REAL("fsync", int (*)(int))(fd); }
int fdatasync(int fd) { if (step(0)) return -1; tell_fd("sync", fd); return REAL("fdatasync", int (*)(int))(fd); }
int link(const char *from, const char *to) { if (step(1)) return -1; return REAL("link", int (*)(const char *, const char *))(from, to); }
int rename(const char *from, const char *to) { if (step(1)) return -1; return REAL("rename", int (*)(const char *, const char *))(from, to); }
int unlink(const char *path) { if (step(0)) return -1; return REAL("unlink", int (*)(const char *))(path); }
int mkdir(const char *path, mode_t mode) {
  if (step(1)) return -1;
  int made = REAL("mkdir", int (*)(const char *, mode_t))(path, mode);
  if (made == 0) tell("mkdir", path);
  return made;
}
#define OPEN(name) \\
  int name(const char *path, int flags, ...) { \\
    va_list rest; va_start(rest, flags); mode_t mode = va_arg(rest, mode_t); va_end(rest); \\
    if ((flags & O_CREAT) && access(path, F_OK) && step(1)) return -1; \\
    return REAL(#name, int (*)(const char *, int, ...))(path, flags, mode); \\
  }
OPEN(open)
OPEN(open64)
ssize_t write(int fd, const void *bytes, size_t length) {
  if (is_file(fd) && step(1)) return -1;
  return REAL("write", ssize_t (*)(int, const void *, size_t))(fd, bytes, length);
}
#define PWRITE(name) \\
  ssize_t name(int fd, const void *bytes, size_t length, off_t at) { \\
    if (is_file(fd) && step(1)) return -1; \\
    return REAL(#name, ssize_t (*)(int, const void *, size_t, off_t))(fd, bytes, length, at); \\
  }
PWRITE(pwrite)
PWRITE(pwrite64)
#define PWRITEV(name) \\
  ssize_t name(int fd, const struct iovec *parts, int many, off_t at) { \\
    if (is_file(fd) && step(1)) return -1; \\
    return REAL(#name, ssize_t (*)(int, const struct iovec *, int, off_t))(fd, parts, many, at); \\
  }
PWRITEV(pwritev)
PWRITEV(pwritev64)
`;

/** A disk on which a process is stopped, or has no more room, at a step of one's choice. */
export interface StepDisk {
  /** For the process, started by it. */
  readonly environment: NodeJS.ProcessEnv;
  /** Steps are counted from now on, and the chosen one is the end. */
  arm(): void;
  /** There is room again, or no step is counted any more. */
  disarm(): void;
  /** What was done, such as "sync /data/blobs" and "mkdir /data/blobs/00", in its order. */
  told(): readonly string[];
}

/** Makes one, in a folder of its own. */
export function stepDisk(directory: string, shim: string, { at, how }: { readonly at: number; readonly how: "kill" | "full" }): StepDisk {
  const [sign, log] = [join(directory, "sign"), join(directory, "log")];
  return {
    environment: { LD_PRELOAD: shim, STEP_SIGN: sign, STEP_AT: String(at), STEP_HOW: how, STEP_LOG: log },
    arm: () => writeFileSync(sign, ""),
    disarm: () => rmSync(sign, { force: true }),
    told: () => (existsSync(log) ? readFileSync(log, "utf8").split("\n").slice(0, -1) : []),
  };
}

/** As `buildShim`, of what counts steps. */
export function buildStepShim(directory: string): Shim {
  return buildShim(directory, source);
}
