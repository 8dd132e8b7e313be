/* SPDX-License-Identifier: MIT */
/*
 * functions - functions of programs built with -finstrument-functions
 */
#ifndef PS_SHIM_FUNCTIONS_H
#define PS_SHIM_FUNCTIONS_H

/* A module went away: its addresses may come to mean other functions. */
void ps_functions_changed(void);
/* In a fork child, with its new recording. */
void ps_functions_postfork_child(void);

#endif /* PS_SHIM_FUNCTIONS_H */
