/* SPDX-License-Identifier: MIT */
/*
 * queue - alerts on their way to who drains them
 *
 * A ring in which each slot says whose turn it is (Vyukov's bounded queue): at
 * turn t it waits for push number t, at t + 1 for take number t, which hands it
 * on to push number t + PS_QUEUE_ALERTS.  A push claims its number by one
 * compare-and-swap; losing that race eight times drops the alert, which is what
 * makes it bounded, where Vyukov's spins.
 */
#include "monitor/queue.h"

enum { ATTEMPTS = 8 };

void
ps_queue_init(struct ps_queue *q)
{
	ps_poke(&q->pushed, 0);
	ps_poke(&q->dropped, 0);
	ps_poke(&q->taken, 0);
	for (uint64_t i = 0; i < PS_QUEUE_ALERTS; i++)
		ps_poke(&q->slot[i].turn, i);
}

bool
ps_queue_push(struct ps_queue *q, const struct ps_alert *alert)
{
	uint64_t number = ps_peek(&q->pushed);

	for (int i = 0; i < ATTEMPTS; i++) {
		struct ps_queue_slot *s = &q->slot[number % PS_QUEUE_ALERTS];
		/* acquire: pairs with the release of ps_queue_take */
		uint64_t turn =
		    atomic_load_explicit(&s->turn, memory_order_acquire);

		if ((int64_t)(turn - number) < 0)
			break; /* full */
		if (turn != number) {
			number = ps_peek(&q->pushed);
			continue;
		}
		if (!atomic_compare_exchange_strong(&q->pushed, &number,
						    number + 1))
			continue;
		PS_DEBUG_ASSERT(ps_peek(&s->turn) == number);
		s->alert = *alert;
		/* release: pairs with the acquire of ps_queue_take */
		atomic_store_explicit(&s->turn, number + 1,
				      memory_order_release);
		return true;
	}
	atomic_fetch_add_explicit(&q->dropped, 1, memory_order_relaxed);
	return false;
}

bool
ps_queue_take(struct ps_queue *q, struct ps_alert *out)
{
	uint64_t number = ps_peek(&q->taken);

	for (;;) {
		struct ps_queue_slot *s = &q->slot[number % PS_QUEUE_ALERTS];
		/* acquire: pairs with the release of ps_queue_push */
		uint64_t turn =
		    atomic_load_explicit(&s->turn, memory_order_acquire);

		if ((int64_t)(turn - (number + 1)) < 0)
			return false; /* empty, or still being written */
		if (turn != number + 1) {
			number = ps_peek(&q->taken);
			continue;
		}
		if (!atomic_compare_exchange_strong(&q->taken, &number,
						    number + 1))
			continue;
		*out = s->alert;
		/* release: pairs with the acquire of ps_queue_push */
		atomic_store_explicit(&s->turn, number + PS_QUEUE_ALERTS,
				      memory_order_release);
		return true;
	}
}
