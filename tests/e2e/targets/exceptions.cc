/* SPDX-License-Identifier: MIT */
/*
 * exceptions - C++ exceptions through sections, new that fails, many throws
 */
#include <cstdio>
#include <map>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "shim/perfshim.h"

namespace words
{
struct counter {
	std::map<std::string, int> count;
	__attribute__((noinline)) void
	add(const std::string &word)
	{
		count[word]++;
	}
};
} // namespace words

static int
throws(int depth)
{
	PERFSHIM_SECTION ("throwing") {
		std::string name = "a string that does not fit into itself " +
				   std::to_string(depth);

		if (depth == 0)
			throw std::runtime_error(name);
		return throws(depth - 1) + 1;
	}
	return 0;
}

static int
catches(int n)
{
	int caught = 0;

	for (int i = 0; i < n; i++) {
		try {
			throws(i % 5);
		} catch (const std::runtime_error &error) {
			caught += error.what()[0] == 'a';
		}
	}
	return caught;
}

static bool
new_fails()
{
	volatile size_t bytes = size_t(1) << 60;

	try {
		std::unique_ptr<char[]> p(new char[bytes]);
		return false;
	} catch (const std::bad_alloc &) {
	}
	return new (std::nothrow) char[bytes] == nullptr;
}

int
main()
{
	words::counter counter;
	std::vector<std::thread> thread;
	int caught[4] = {};
	int sum = 0;

	for (int i = 0; i < 20000; i++)
		counter.add("word number " + std::to_string(i % 5000));
	for (int &c : caught)
		thread.emplace_back([&c] { c = catches(500); });
	for (auto &t : thread)
		t.join();
	for (int c : caught)
		sum += c;
	std::printf("%zu words, %d caught, %d\n", counter.count.size(), sum,
		    (int)new_fails());
	return 0;
}
