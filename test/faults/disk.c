/*
 * A disk that fails, for disk.test.ts: loaded into a program before libc (LD_PRELOAD), it watches the calls that change
 * files below one folder, and
 *   - fails the n-th write or sync with an error of choice (DISK_FAIL_AT, DISK_ERRNO), and
 *   - keeps what a power cut would leave (DISK_KEPT): a file as it was when it was last synced, a new name once its folder was.
 * Each watched call adds a byte to DISK_CALLS, so that its size is their number.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* The path below DISK_FOLDER that a descriptor is open for, in `path`; null if it is another's. */
static const char *watched(int fd, char *path, size_t size) {
  const char *folder = getenv("DISK_FOLDER");
  char link[64];
  if (folder == NULL) return NULL;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, size - 1);
  if (length <= 0) return NULL;
  path[length] = '\0';
  size_t prefix = strlen(folder);
  if (strncmp(path, folder, prefix) != 0) return NULL;
  return path + prefix;
}

/* Counts a call; nonzero if it is the one to fail, with errno set. */
static int fails(int fd) {
  char path[4096];
  const char *calls = getenv("DISK_CALLS");
  const char *at = getenv("DISK_FAIL_AT");
  const char *number = getenv("DISK_ERRNO");
  if (calls == NULL || watched(fd, path, sizeof path) == NULL) return 0;
  pthread_mutex_lock(&lock);
  int counter = REAL(open)(calls, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  struct stat info = {0};
  if (counter >= 0) {
    if (REAL(write)(counter, ".", 1) == 1) fstat(counter, &info);
    REAL(close)(counter);
  }
  pthread_mutex_unlock(&lock);
  if (at == NULL || info.st_size != atol(at)) return 0;
  errno = number == NULL ? EIO : atoi(number);
  return 1;
}

static void copy(const char *from, const char *to) {
  char bytes[65536];
  ssize_t length;
  int source = REAL(open)(from, O_RDONLY | O_CLOEXEC);
  int target = REAL(open)(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  while (source >= 0 && target >= 0 && (length = REAL(read)(source, bytes, sizeof bytes)) > 0) {
    if (REAL(write)(target, bytes, (size_t)length) != length) abort();
  }
  if (source >= 0) REAL(close)(source);
  if (target >= 0) REAL(close)(target);
}

static int exists(const char *path) {
  struct stat info;
  return stat(path, &info) == 0;
}

/*
 * A synced file is on the disk under no name yet: its content waits beside the folder's, by inode. A synced folder has the
 * names that it has now, each with the content that its file was last synced with, or empty.
 */
static void keep(int fd) {
  char path[4096], to[8192], content[8192];
  const char *kept = getenv("DISK_KEPT");
  const char *below = kept == NULL ? NULL : watched(fd, path, sizeof path);
  struct stat info;
  if (below == NULL || fstat(fd, &info) != 0) return;
  pthread_mutex_lock(&lock);
  if (S_ISREG(info.st_mode)) {
    snprintf(content, sizeof content, "%s/inodes/%lu", kept, (unsigned long)info.st_ino);
    copy(path, content);
    snprintf(to, sizeof to, "%s/home%s", kept, below);
    if (exists(to)) copy(content, to);
  } else if (S_ISDIR(info.st_mode)) {
    struct dirent *entry;
    char name[8192];
    snprintf(to, sizeof to, "%s/home%s", kept, below);
    DIR *before = opendir(to);
    while (before != NULL && (entry = readdir(before)) != NULL) {
      snprintf(name, sizeof name, "%s/home%s/%s", kept, below, entry->d_name);
      snprintf(content, sizeof content, "%s/%s", path, entry->d_name);
      if (entry->d_type == DT_REG && !exists(content)) REAL(unlink)(name);
    }
    if (before != NULL) closedir(before);
    DIR *now = opendir(path);
    while (now != NULL && (entry = readdir(now)) != NULL) {
      snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
      if (entry->d_type != DT_REG || stat(name, &info) != 0) continue;
      snprintf(content, sizeof content, "%s/inodes/%lu", kept, (unsigned long)info.st_ino);
      snprintf(to, sizeof to, "%s/home%s/%s", kept, below, entry->d_name);
      copy(content, to);
    }
    if (now != NULL) closedir(now);
  }
  pthread_mutex_unlock(&lock);
}

/* A number that is free again must not bring back what another file held. */
static void forget(const char *path) {
  char content[8192];
  const char *kept = getenv("DISK_KEPT");
  struct stat info;
  if (kept == NULL || lstat(path, &info) != 0) return;
  snprintf(content, sizeof content, "%s/inodes/%lu", kept, (unsigned long)info.st_ino);
  REAL(unlink)(content);
}

int unlink(const char *path) {
  forget(path);
  return REAL(unlink)(path);
}

int rename(const char *from, const char *to) {
  forget(to);
  return REAL(rename)(from, to);
}

ssize_t write(int fd, const void *bytes, size_t count) {
  return fails(fd) ? -1 : REAL(write)(fd, bytes, count);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  return fails(fd) ? -1 : REAL(writev)(fd, parts, count);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
  return fails(fd) ? -1 : REAL(pwrite)(fd, bytes, count, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
  return fails(fd) ? -1 : REAL(pwrite64)(fd, bytes, count, at);
}

int fsync(int fd) {
  if (fails(fd)) return -1;
  int result = REAL(fsync)(fd);
  if (result == 0) keep(fd);
  return result;
}

int fdatasync(int fd) {
  if (fails(fd)) return -1;
  int result = REAL(fdatasync)(fd);
  if (result == 0) keep(fd);
  return result;
}
