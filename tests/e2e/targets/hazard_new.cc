// SPDX-License-Identifier: MIT
/*
 * hazard_new - C++: operators new and delete, complete and consistent (hazards
 * C)
 */
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <vector>

static void *(*volatile raw_new)(std::size_t) = ::operator new;
static void *(*volatile raw_malloc)(std::size_t) = std::malloc;
static void (*volatile raw_free)(void *) = std::free;

/* Each way to make one, by each way to end it that the standard allows. */
static int
all_operators()
{
	const auto al = std::align_val_t(128);
	long made = 0;

	for (std::size_t n = 0; n < 3000; n += 37) {
		::operator delete(::operator new(n));
		::operator delete(::operator new(n), n);
		::operator delete[](::operator new[](n));
		::operator delete[](::operator new[](n), n);
		::operator delete(::operator new(n, std::nothrow),
				  std::nothrow);
		::operator delete[](::operator new[](n, std::nothrow),
				    std::nothrow);
		::operator delete(::operator new(n, al), al);
		::operator delete(::operator new(n, al), n, al);
		::operator delete[](::operator new[](n, al), al);
		::operator delete[](::operator new[](n, al), n, al);
		::operator delete(::operator new(n, al, std::nothrow), al,
				  std::nothrow);
		::operator delete[](::operator new[](n, al, std::nothrow), al,
				    std::nothrow);
		/* As much of the world does, though it should not. */
		raw_free(raw_new(n));
		::operator delete(raw_malloc(n));
		made += 14;
	}
	std::printf("ok %ld\n", made);
	return 0;
}

/* A size that is wrong must do no harm: it is undefined, and common. */
static int
wrong_sizes()
{
	std::vector<char *> kept;

	for (int i = 0; i < 1000000; i++) {
		::operator delete(raw_new(24), std::size_t(2000));
		if (i % 1000 == 0) {
			kept.push_back(static_cast<char *>(raw_new(2000)));
			std::memset(kept.back(), i / 1000 & 127, 2000);
		}
	}
	for (std::size_t i = 0; i < kept.size(); i++)
		for (int at = 0; at < 2000; at += 100)
			if (kept[i][at] != static_cast<char>(i & 127))
				return std::puts("wrong: a block changed"), 1;
	for (char *block : kept)
		::operator delete(block, std::size_t(1));
	std::puts("ok");
	return 0;
}

struct mine : std::bad_alloc {
	const char *
	what() const noexcept override
	{
		return "mine";
	}
};

static char *reserve;
static int handled;

static void
give_reserve()
{
	handled++;
	std::free(reserve);
	reserve = nullptr;
	std::set_new_handler(nullptr);
}

static void
throw_mine()
{
	throw mine();
}

static int
failures()
{
	const volatile std::size_t huge = std::size_t(1) << 62;
	int caught = 0;

	try {
		raw_new(huge);
	} catch (const std::bad_alloc &) {
		caught++;
	}
	if (::operator new(huge, std::nothrow) == nullptr)
		caught++;
	reserve = static_cast<char *>(std::malloc(1000));
	std::set_new_handler(give_reserve);
	try {
		raw_new(huge);
	} catch (const std::bad_alloc &) {
		caught++;
	}
	std::set_new_handler(throw_mine);
	try {
		raw_new(huge);
	} catch (const std::exception &e) {
		caught += std::strcmp(e.what(), "mine") == 0;
	}
	caught += ::operator new(huge, std::nothrow) == nullptr;
	caught +=
	    ::operator new(huge, std::align_val_t(64), std::nothrow) == nullptr;
	std::printf("%d caught, %d handled\n", caught, handled);
	return 0;
}

static char *held;

static void
free_held()
{
	if (held == nullptr)
		std::set_new_handler(nullptr);
	std::free(held);
	held = nullptr;
}

/* Under `ulimit -v`: the handler frees what is needed, and new succeeds. */
static int
handler_helps()
{
	std::size_t bytes = std::size_t(1) << 30;

	while (bytes > 1 << 20 &&
	       (held = static_cast<char *>(std::malloc(bytes))) == nullptr)
		bytes -= bytes / 8;
	std::set_new_handler(free_held);
	char *block = static_cast<char *>(raw_new(bytes - bytes / 8));
	std::printf("%d %d\n", block != nullptr, held == nullptr);
	::operator delete(block);
	return 0;
}

static int
aligned()
{
	for (std::size_t align = 1; align <= std::size_t(1) << 21; align *= 2) {
		for (std::size_t size :
		     {std::size_t(0), std::size_t(1), align, align + 1}) {
			void *block =
			    ::operator new(size, std::align_val_t(align));
			if (reinterpret_cast<std::uintptr_t>(block) % align !=
			    0)
				return std::puts("wrong: an alignment"), 1;
			::operator delete(block, size, std::align_val_t(align));
		}
	}
	std::puts("ok");
	return 0;
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)();
	} cases[] = {{"operators", all_operators},
		     {"sizes", wrong_sizes},
		     {"failures", failures},
		     {"handler", handler_helps},
		     {"aligned", aligned}};

	for (const auto &c : cases)
		if (argc > 1 && std::strcmp(argv[1], c.name) == 0)
			return c.run();
	return 2;
}
