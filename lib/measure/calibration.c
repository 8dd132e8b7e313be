/* SPDX-License-Identifier: MIT */
/*
 * calibration - what was measured of this machine, and its cache on disk
 *
 * The file is one struct with a key and a checksum, written to a name of its
 * own and renamed: a reader sees an old file, a new one or none, and two
 * writers do not mix.  It is not synced: after a crash the boot id differs and
 * the file is stale anyway.
 *
 * A reader trusts nothing: the path must not be a link, the file must be a
 * regular one of our effective user, closed to others and of the right size,
 * and the figures must be finite and not negative.  (Between the look for a
 * link and the opening somebody may put one there; it then leads to a file of
 * ours with a valid checksum, or to nothing.)
 */
#include <errno.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/os.h"
#include "base/text.h"
#include "measure/calibrate_rounds.h"
#include "measure/calibration.h"
#include "simd/cpu.h"

#ifndef PS_VERSION
#define PS_VERSION "unversioned"
#endif

#define BOOT_ID "/proc/sys/kernel/random/boot_id"
#define MAGIC "PSHIMCAL"

struct cache_file {
	char magic[8];
	uint64_t bytes;
	struct ps_calibration_key key;
	struct ps_calibration calibration;
	struct ps_rounds rounds;
	uint64_t checksum; /* of everything above */
};
_Static_assert(offsetof(struct cache_file, checksum) + sizeof(uint64_t) ==
		   sizeof(struct cache_file),
	       "nothing is behind it");

/* FNV-1a: against damage, not against an attacker, who has our user id. */
static uint64_t
checksum(const struct cache_file *file)
{
	const unsigned char *byte = (const unsigned char *)file;
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < offsetof(struct cache_file, checksum); i++)
		hash = (hash ^ byte[i]) * UINT64_C(0x100000001b3);
	return hash;
}

int
ps_calibration_key(struct ps_calibration_key *out)
{
	struct ps_calibration_key key;
	char boot_id[64];
	ssize_t length = ps_os_slurp(BOOT_ID, boot_id, sizeof(boot_id));

	_Static_assert(sizeof(PS_VERSION) <= sizeof(key.library), "fits");
	_Static_assert(sizeof(key.cpu_model) >= PS_CPU_MODEL_BYTES, "fits");
	if (length < 36)
		return -ENOENT;
	memset(&key, 0, sizeof(key));
	memcpy(key.boot_id, boot_id, 36);
	ps_cpu_model(key.cpu_model);
	memcpy(key.library, PS_VERSION, sizeof(PS_VERSION));
	*out = key;
	return 0;
}

/* The value of an absolute path's variable, NULL when it is not one. */
static const char *
directory_in(char *const *envp, const char *name)
{
	size_t length = strlen(name);

	for (; *envp != NULL; envp++) {
		if (strncmp(*envp, name, length) == 0 && (*envp)[length] == '=')
			return (*envp)[length + 1] == '/' ? *envp + length + 1
							  : NULL;
	}
	return NULL;
}

int
ps_calibration_path(char *const *envp, char path[PS_CALIBRATION_PATH_MAX])
{
	static const char below_cache[] = "/perfshim/calibration";
	static const char below_home[] = "/.cache/perfshim/calibration";
	const char *directory = directory_in(envp, "XDG_CACHE_HOME");
	const char *rest = below_cache;
	size_t length;

	if (directory == NULL) {
		directory = directory_in(envp, "HOME");
		rest = below_home;
	}
	if (directory == NULL)
		return -ENOENT;
	length = strlen(directory);
	PS_ASSERT(directory[0] == '/');
	if (length + strlen(rest) >= PS_CALIBRATION_PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(path, directory, length);
	memcpy(path + length, rest, strlen(rest) + 1);
	return 0;
}

static bool
is_text(const char *field, size_t bytes)
{
	return memchr(field, 0, bytes) != NULL;
}

static bool
are_figures(const struct ps_calibration *c)
{
	const double figures[] = {
	    c->tsc_hz,		 c->tsc_ppm,	     c->clock_ns,
	    c->clock_quantum_ns, c->marker_ns,	     c->marker_inside_ns,
	    c->core_hz,		 c->fma_flops,	     c->matmul_flops,
	    c->vector_add_l1,	 c->vector_add_l2,   c->vector_add_l3,
	    c->vector_add_dram,	 c->latency_dram_ns, c->cost_ns,
	};

	for (size_t i = 0; i < PS_COUNT(figures); i++) {
		if (!ps_is_calibration_figure(figures[i]))
			return false;
	}
	return true;
}

static bool
is_plausible(const struct ps_calibration *c)
{
	return (c->kind == PS_CALIBRATION_QUICK ||
		c->kind == PS_CALIBRATION_FULL) &&
	       is_text(c->isa, sizeof(c->isa)) &&
	       is_text(c->clock, sizeof(c->clock)) &&
	       is_text(c->clock_trust, sizeof(c->clock_trust)) &&
	       is_text(c->dram_method, sizeof(c->dram_method)) &&
	       are_figures(c);
}

static int
check_file(const struct cache_file *file, const struct ps_calibration_key *key)
{
	if (memcmp(file->magic, MAGIC, sizeof(file->magic)) != 0 ||
	    file->bytes != sizeof(*file) || file->checksum != checksum(file))
		return -EBADMSG;
	if (memcmp(&file->key, key, sizeof(*key)) != 0)
		return -ESTALE;
	return is_plausible(&file->calibration) &&
		       ps_rounds_are_plausible(&file->rounds)
		   ? 0
		   : -EBADMSG;
}

/* Ours alone, and a plain file. */
static int
check_owner(int fd)
{
	struct stat status;
	int error = ps_os_fstat(fd, &status);

	if (error != 0)
		return error;
	if (!S_ISREG(status.st_mode) || (status.st_mode & 077) != 0 ||
	    status.st_uid != (uid_t)getauxval(AT_EUID))
		return -EPERM;
	return status.st_size == sizeof(struct cache_file) ? 0 : -EBADMSG;
}

static int
read_file(int fd, struct cache_file *file)
{
	int error = check_owner(fd);
	ssize_t got;

	if (error != 0)
		return error;
	got = ps_os_read(fd, file, sizeof(*file));
	if (got < 0)
		return (int)got;
	return got == sizeof(*file) ? 0 : -EBADMSG;
}

int
ps_calibration_load_rounds(const char *path,
			   const struct ps_calibration_key *key,
			   struct ps_calibration *out, struct ps_rounds *rounds)
{
	struct cache_file file;
	struct stat status;
	char target[1];
	int fd, error;

	PS_ASSERT(memchr(key->boot_id, 0, sizeof(key->boot_id)) != NULL);
	if (ps_os_readlink(path, target, sizeof(target)) >= 0)
		return -ELOOP;
	error = ps_os_stat(path, &status);
	if (error != 0)
		return error;
	if (!S_ISREG(status.st_mode)) /* opening a pipe would wait */
		return -EPERM;
	fd = ps_os_open_read(path);
	if (fd < 0)
		return fd;
	error = read_file(fd, &file);
	ps_os_close(fd);
	if (error == 0)
		error = check_file(&file, key);
	if (error != 0)
		return error;
	*out = file.calibration;
	out->is_cached = 1;
	*rounds = file.rounds;
	return 0;
}

int
ps_calibration_load(const char *path, const struct ps_calibration_key *key,
		    struct ps_calibration *out)
{
	struct ps_rounds rounds;

	return ps_calibration_load_rounds(path, key, out, &rounds);
}

/* Path without its last `parts` parts, made; "" when there is no such. */
static int
make_directory(const char *path, int parts)
{
	char directory[PS_CALIBRATION_PATH_MAX];
	size_t length = strlen(path);

	PS_ASSERT(length < sizeof(directory));
	PS_ASSERT(parts > 0);
	for (; parts > 0 && length > 0; parts--) {
		do
			length--;
		while (length > 0 && path[length] != '/');
	}
	if (length == 0)
		return 0;
	memcpy(directory, path, length);
	directory[length] = 0;
	return ps_os_mkdir(directory);
}

static int
write_file(const char *path, const struct cache_file *file)
{
	int fd = ps_os_create(path);
	int error;

	if (fd < 0)
		return fd;
	error = ps_os_write_all(fd, file, sizeof(*file));
	ps_os_close(fd);
	if (error != 0)
		ps_os_unlink(path);
	return error;
}

/* PATH.PID, unique among processes that live at the same time. */
static int
write_and_rename(const char *path, const struct cache_file *file)
{
	char beside[PS_CALIBRATION_PATH_MAX + 16];
	struct ps_text text;
	int error;

	ps_text_init(&text, beside, sizeof(beside), -1);
	ps_text_printf(&text, "%s.%d", path, ps_os_pid());
	PS_ASSERT(text.cut == 0);
	error = write_file(beside, file);
	if (error == -EEXIST) { /* left by a dead process of the same number */
		ps_os_unlink(beside);
		error = write_file(beside, file);
	}
	if (error != 0)
		return error;
	error = ps_os_rename(beside, path);
	if (error != 0)
		ps_os_unlink(beside);
	return error;
}

int
ps_calibration_save_rounds(const char *path,
			   const struct ps_calibration_key *key,
			   const struct ps_calibration *calibration,
			   const struct ps_rounds *rounds)
{
	struct cache_file file;
	int error;

	if (strlen(path) >= PS_CALIBRATION_PATH_MAX)
		return -ENAMETOOLONG;
	if (!is_plausible(calibration))
		return -EINVAL;
	/* Beyond the limit, a write would raise SIGXFSZ in our host. */
	if (ps_os_limit(RLIMIT_FSIZE) < sizeof(file))
		return -EFBIG;
	memset(&file, 0, sizeof(file));
	memcpy(file.magic, MAGIC, sizeof(file.magic));
	file.bytes = sizeof(file);
	file.key = *key;
	file.calibration = *calibration;
	file.calibration.is_cached = 0;
	if (rounds != NULL)
		file.rounds = *rounds;
	file.checksum = checksum(&file);
	make_directory(path, 2); /* ~/.cache; if it fails, so does the next */
	error = make_directory(path, 1);
	return error != 0 ? error : write_and_rename(path, &file);
}

int
ps_calibration_save(const char *path, const struct ps_calibration_key *key,
		    const struct ps_calibration *calibration)
{
	return ps_calibration_save_rounds(path, key, calibration, NULL);
}
