// Asking every worker something, from the main thread.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "source/event/pending.h"
#include "source/event/task.h"
#include "source/server/worker_thread.h"

namespace egret {

using Workers = std::vector<std::unique_ptr<WorkerThread>>;

// What `ask` gives on each worker's own thread, all at once. A worker that has ended gives nothing.
template <class T>
Task<std::vector<T>> AskWorkers(const Workers& workers, Loop& main, std::function<T(Worker&)> ask) {
  std::deque<Pending<T>> answers;
  for (const auto& worker : workers) {
    Pending<T>& answer = answers.emplace_back();
    const bool asked = worker->Post([state = answer.state(), mailbox = main.mailbox(), ask](Worker& on) {
      Pending<T>::FulfilFrom(mailbox, state, ask(on));
    });
    if (!asked) answers.pop_back();
  }
  std::vector<T> all;
  all.reserve(answers.size());
  for (Pending<T>& answer : answers) all.push_back(co_await answer);
  co_return all;
}

}  // namespace egret
