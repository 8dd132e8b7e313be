/* SPDX-License-Identifier: MIT */
/*
 * section_name - what section.c asks of the names; see section.h for the rest
 */
#ifndef PS_PROFILE_SECTION_NAME_H
#define PS_PROFILE_SECTION_NAME_H

#include "base/base.h"

/* How many sections are known: their numbers are below it. */
uint32_t ps_section_count(void);

/* In a fork child: all of them into the new recording; under its lock. */
void ps_section_names_append_locked(void);

#endif /* PS_PROFILE_SECTION_NAME_H */
