/* SPDX-License-Identifier: MIT */
/*
 * replaced - a program that brings malloc or operator new itself
 */
#ifndef PS_SHIM_REPLACED_H
#define PS_SHIM_REPLACED_H

#include "base/base.h"

/* The forms of operator new and delete that libstdc++ makes of others. */
#define PS_NEW_FORMS(X)                                                        \
	X(_Znam)                                                               \
	X(_ZnwmRKSt9nothrow_t)                                                 \
	X(_ZnamRKSt9nothrow_t)                                                 \
	X(_ZnwmSt11align_val_t)                                                \
	X(_ZnamSt11align_val_t)                                                \
	X(_ZnwmSt11align_val_tRKSt9nothrow_t)                                  \
	X(_ZnamSt11align_val_tRKSt9nothrow_t)
#define PS_DELETE_FORMS(X)                                                     \
	X(_ZdaPv)                                                              \
	X(_ZdlPvm)                                                             \
	X(_ZdaPvm)                                                             \
	X(_ZdlPvRKSt9nothrow_t)                                                \
	X(_ZdaPvRKSt9nothrow_t)                                                \
	X(_ZdlPvSt11align_val_t)                                               \
	X(_ZdaPvSt11align_val_t)                                               \
	X(_ZdlPvmSt11align_val_t)                                              \
	X(_ZdaPvmSt11align_val_t)                                              \
	X(_ZdlPvSt11align_val_tRKSt9nothrow_t)                                 \
	X(_ZdaPvSt11align_val_tRKSt9nothrow_t)

/* ... and the two of which. */
#define PS_FORMS_OF(X) PS_NEW_FORMS(X) PS_DELETE_FORMS(X) X(_Znwm) X(_ZdlPv)

enum ps_form {
#define NUMBER(name) PS_FORM##name,
	PS_FORMS_OF(NUMBER)
#undef NUMBER
	    PS_FORMS
};

/* Written by the constructor, before the program has threads. */
struct ps_replaced {
	bool has_new; /* one of the operators, or malloc */
	/* The program's; NULL: malloc is ours. */
	void (*free)(void *);
	void *(*realloc)(void *, size_t);
};
extern struct ps_replaced ps_replaced;

void ps_replaced_look(void);

/* Into the recording, whose malloc it is. */
void ps_replaced_tell(void);

/* libstdc++'s, which calls whatever the program brings. */
void *ps_new_theirs(size_t size, size_t second, size_t third,
		    enum ps_form form);
void ps_delete_theirs(void *ptr, size_t second, size_t third,
		      enum ps_form form);

/* NULL: libstdc++ does not have it. */
typedef void *ps_form_call(uintptr_t first, size_t second, size_t third);
extern ps_form_call *ps_replaced_form[PS_FORMS];

#endif /* PS_SHIM_REPLACED_H */
