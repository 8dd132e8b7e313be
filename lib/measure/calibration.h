/* SPDX-License-Identifier: MIT */
/*
 * calibration - what was measured of this machine, and its cache on disk
 *
 * The cache lets a tree of processes measure once per boot.  It is a hint: a
 * file that is damaged, not ours, writable by others, a link, of another boot,
 * processor or version is ignored, and a failed save loses nothing.  No
 * descriptor stays open.
 */
#ifndef PS_CALIBRATION_H
#define PS_CALIBRATION_H

#include "base/base.h"

struct ps_rounds;

enum ps_calibration_kind {
	PS_CALIBRATION_NONE,
	PS_CALIBRATION_QUICK,
	PS_CALIBRATION_FULL
};

/*
 * A part of a recording (record/layout.h): changing it means a new
 * PS_RECORD_VERSION.  A zero means "not measured".
 */
struct ps_calibration {
	uint32_t kind;	      /* enum ps_calibration_kind */
	uint32_t is_cached;   /* taken from an earlier process of this boot */
	char isa[16];	      /* "scalar", "sse2", "avx2", "avx512", "neon" */
	char clock[16];	      /* "tsc", "monotonic" */
	char clock_trust[16]; /* why: see ps_clock_trust */
	char dram_method[16]; /* how the figures of memory were measured:
				 "flushed", "streamed", "capped",
				 "flushed-huge" */
	double tsc_hz;
	double tsc_ppm;		 /* uncertainty of tsc_hz */
	double clock_ns;	 /* one reading of the clock */
	double clock_quantum_ns; /* the step in which it advances */
	double marker_ns;	 /* one begin + end pair */
	double marker_inside_ns; /* the part of it inside the interval */
	double core_hz;		 /* cycles per second at work */
	double fma_flops;	 /* peak: multiply-adds in registers */
	double matmul_flops;	 /* what the matrix kernel makes of it */
	double vector_add_l1;	 /* bytes per second, 3 arrays counted */
	double vector_add_l2;
	double vector_add_l3; /* 0 where there is no third level */
	double vector_add_dram;
	double latency_dram_ns; /* one load that waits for the one before */
	/* At the end of the run, against the above. */
	double drift_fraction;	  /* vector add in L1: how much slower */
	double core_drift;	  /* frequency: how much slower */
	double steal_fraction;	  /* of the CPUs' time, by the hypervisor */
	double pressure_fraction; /* of the run, some task waited for a CPU */
	double cost_ns;		  /* CPU time the calibration took */
	uint32_t watched;   /* PS_WATCHED_*: which of the end's are known */
	float memory_drift; /* vector add in memory: how much slower */
};
enum {
	PS_WATCHED_DRIFT = 1,
	PS_WATCHED_STEAL = 2,
	PS_WATCHED_PRESSURE = 4,
	PS_WATCHED_MEMORY = 8
};

enum { PS_CALIBRATION_PATH_MAX = 1024 };

/* What a calibration holds for; zero-padded, compared as bytes. */
struct ps_calibration_key {
	char boot_id[40];
	char cpu_model[64];
	char library[24];
};

/* 0, or -ENOENT when this system does not tell its boot id: no caching. */
int ps_calibration_key(struct ps_calibration_key *out);

/*
 * Where the cache is: $XDG_CACHE_HOME/perfshim/calibration when that is an
 * absolute path, else $HOME/.cache/perfshim/calibration.  0, -ENOENT when
 * neither variable is set, -ENAMETOOLONG.
 */
int ps_calibration_path(char *const *envp, char path[PS_CALIBRATION_PATH_MAX]);

/*
 * The cached calibration for the key, with is_cached set.  0, or -errno:
 * -ENOENT there is none, -EPERM not ours or open to others, -ELOOP a link,
 * -EBADMSG damaged, -ESTALE another boot, processor or version.
 */
int ps_calibration_load(const char *path, const struct ps_calibration_key *key,
			struct ps_calibration *out);
/* The same, with the rounds that it is made of: none, or some of quick. */
int ps_calibration_load_rounds(const char *path,
			       const struct ps_calibration_key *key,
			       struct ps_calibration *out,
			       struct ps_rounds *rounds);

/*
 * Save for the processes to come: written beside it, then renamed over it,
 * mode 0600.  Makes the last two directories of the path.  0, or -errno:
 * -EINVAL for figures that load would refuse.
 */
int ps_calibration_save(const char *path, const struct ps_calibration_key *key,
			const struct ps_calibration *calibration);
/* The same; rounds may be NULL. */
int ps_calibration_save_rounds(const char *path,
			       const struct ps_calibration_key *key,
			       const struct ps_calibration *calibration,
			       const struct ps_rounds *rounds);

/* What a figure can be: finite, and not negative. */
static inline bool
ps_is_calibration_figure(double x)
{
	return x >= 0 && x <= 1e30; /* NaN fails both */
}

#endif /* PS_CALIBRATION_H */
