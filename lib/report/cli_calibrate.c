/* SPDX-License-Identifier: MIT */
/*
 * cli_calibrate - perfreport --calibrate: measure this machine for this boot
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/os.h"
#include "measure/calibration_settle.h"
#include "measure/clock.h"
#include "report/cli_arguments.h"
#include "report/cli_calibrate.h"

int
ps_cli_calibrate(const char *kind_name)
{
	enum ps_calibration_kind kind = PS_CALIBRATION_QUICK;
	struct ps_calibration_key key;
	struct ps_calibration c = {0};
	char path[PS_CALIBRATION_PATH_MAX];
	int error;

	if (kind_name != NULL && strcmp(kind_name, "full") == 0)
		kind = PS_CALIBRATION_FULL;
	else if (kind_name != NULL && strcmp(kind_name, "quick") != 0)
		ps_usage_error("--calibrate", kind_name,
			       "allowed: quick, full");
	error = ps_calibration_path(environ, path);
	if (error == 0)
		error = ps_calibration_key(&key);
	if (error == 0) {
		ps_clock_init(PS_CLOCK_AUTO);
		error = ps_calibration_settle(kind, path, &key,
					      ps_os_monotonic_ns(), &c);
	}
	PS_ASSERT(error != 0 || c.kind >= (uint32_t)kind);
	if (error == 0)
		return 0;
	fprintf(stderr, "perfreport: --calibrate: %s\n", strerror(-error));
	return PS_CLI_BROKEN;
}
