#include "source/server/worker_thread.h"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <future>
#include <optional>
#include <utility>

#include "source/base/buffer.h"
#include "source/base/descriptors.h"
#include "source/base/strings.h"
#include "source/base/thread_rank.h"
#include "source/chain/connection.h"
#include "source/chain/listener.h"
#include "source/chain/revocation.h"
#include "source/event/nursery.h"
#include "source/io/original_destination.h"
#include "source/io/socket_stream.h"

namespace egret {
namespace {

Endpoint LocalEndpoint(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
  return Endpoint::From(address);
}

}  // namespace

// All that lives on the worker's thread. Sessions die before what they use.
class WorkerThread::Core {
 public:
  Core(Loop& loop, Setup setup)
      : setup_(std::move(setup)),
        resolver_(new AresResolver(setup_.resolver)),
        worker_(loop, std::unique_ptr<Resolver>(resolver_), setup_.log, setup_.index) {
    Take(std::move(setup_.snapshot));
    revoking_.Start(revocation_.Run());
    setup_.balance->Join(setup_.index, loop.mailbox(), [this](std::unique_ptr<Arrival> arrival) {
      if (arrival != nullptr) Begin(std::move(arrival));
      TellIfDrained();
    });
    for (WorkerSocket& socket : setup_.sockets) Open(std::move(socket));
  }
  ~Core() {
    setup_.balance->Leave(setup_.index);
    winding_down_.Clear();
    revoking_.Clear();
    for (const std::unique_ptr<Door>& door : doors_) door->accepting.Clear();
    for (ListNode* node = worker_.live().first(); node != &worker_.live(); node = node->after())
      static_cast<ExchangeRecord*>(node)->Fail({Side::kEgret, Fault::kDrain});
    sessions_.Clear();
    worker_.pool().Clear();
  }

  void Drain(DrainTimes times) {
    winding_down_.Clear();
    winding_down_.Start(WindDown(worker_, times, [this] { StopAccepting(); }));
  }

  void Change(WorkerChange change) {
    for (const uint64_t number : change.close) Close(number);
    if (change.take) Take(std::move(*change.take));
    if (!accepts_) return;
    for (WorkerSocket& socket : change.open) Open(std::move(socket));
  }

  Worker& worker() { return worker_; }
  const ResolverCounters& resolver_counters() const { return resolver_->counters(); }
  const AcceptCounters& accept_counters() const { return accept_counters_; }

 private:
  // Where one listening socket's connections come in.
  struct Door final : AcceptSink {
    Door(Core& in, WorkerSocket from) : core(in), socket(std::move(from)) {}
    void Accepted(int fd, const Endpoint& peer) override { core.Arrived(fd, peer, socket); }
    Core& core;
    WorkerSocket socket;
    Nursery accepting;
  };

  void Open(WorkerSocket socket) {
    Door& door = *doors_.emplace_back(std::make_unique<Door>(*this, std::move(socket)));
    door.accepting.Start(AcceptLoop(door.socket.socket.fd(), door, accept_counters_,
                                    {.fd_below = DescriptorShares::OfProcess().accept_below}));
  }

  void Close(uint64_t number) {
    for (const std::unique_ptr<Door>& door : doors_)
      if (door->socket.number == number) AcceptLast(*door);
    std::erase_if(doors_, [number](const auto& door) { return door->socket.number == number; });
  }

  // What is queued would be reset with the socket.
  void AcceptLast(Door& door) {
    door.accepting.Clear();
    AcceptQueued(door.socket.socket.fd(), door, accept_counters_);
  }

  void Take(Snapshot snapshot) {
    if (snapshot.policy != worker_.snapshot().policy) revocation_.PolicyChanged();
    for (auto& ends : worker_.Take(std::move(snapshot))) retiring_.Start(Retire(std::move(ends)));
  }

  void Arrived(int fd, const Endpoint& peer, const WorkerSocket& socket) {
    WorkerCounters& counters = worker_.counters();
    Result<ConnectionPlace, Limit> place = setup_.limits->Take(CountedSource(peer.address, socket), socket.count);
    if (!place) {
      counters.limit_hits.Add(place.error());
      counters.failures[static_cast<size_t>(Fault::kConnectionLimit)].Add();
      close(fd);
      return;
    }
    auto arrival = std::make_unique<Arrival>(fd, peer, socket.listener, std::move(*place),
                                             LoadHold(*setup_.balance, setup_.index));
    const WorkerBalance::Offer offer = setup_.balance->Give(setup_.index, arrival);
    if (offer == WorkerBalance::Offer::kHandedOver) counters.handed_over.Add();
    if (offer == WorkerBalance::Offer::kQueueFull) counters.limit_hits.Add(Limit::kHandOverQueue);
    if (arrival != nullptr) Begin(std::move(arrival));
  }

  // Of a load balancer that will say whose connection it is, nothing.
  std::optional<IpAddress> CountedSource(const IpAddress& peer, const WorkerSocket& socket) {
    const std::shared_ptr<const ListenerChains> listener = worker_.chains().Find(socket.listener);
    const auto holds_peer = [&peer](const Cidr& range) { return range.Contains(peer); };
    if (listener != nullptr && std::any_of(listener->balancers.begin(), listener->balancers.end(), holds_peer))
      return std::nullopt;
    return peer;
  }

  void Begin(std::unique_ptr<Arrival> arrival) { sessions_.Start(Session(std::move(arrival))); }

  Task<void> Session(std::unique_ptr<Arrival> arrival) {
    WorkerCounters& counters = worker_.counters();
    counters.connections.Add();
    ++sessions_open_;
    {
      const GaugeHold active(counters.connections_active);
      const int fd = arrival->TakeFd();
      auto connection = std::make_unique<Connection>(worker_, std::make_unique<SocketStream>(fd));
      connection->peer = arrival->peer;
      connection->local = LocalEndpoint(fd);
      connection->source_place = &arrival->place;
      if (auto chains = worker_.chains().Find(arrival->listener)) connection->RunBy(std::move(chains));
      if (connection->listener != nullptr && connection->listener->transparent != Transparent::kOff)
        connection->original_destination = OriginalDestination(fd, connection->listener->transparent);
      if (connection->listener != nullptr) co_await RunWhole(std::move(connection));
    }
    arrival.reset();
    --sessions_open_;
    TellIfDrained();
  }

  void StopAccepting() {
    for (const std::unique_ptr<Door>& door : doors_) AcceptLast(*door);
    doors_.clear();
    accepts_ = false;
    setup_.balance->Leave(setup_.index);
    TellIfDrained();
  }

  void TellIfDrained() {
    if (accepts_ || sessions_open_ != 0 || setup_.balance->Queued(setup_.index) != 0) return;
    if (const auto tell = std::exchange(setup_.on_drained, nullptr)) tell();
  }

  Setup setup_;
  AresResolver* resolver_;  // the worker owns it
  Worker worker_;
  Revocation revocation_{worker_};
  AcceptCounters accept_counters_;
  std::vector<std::unique_ptr<Door>> doors_;
  size_t sessions_open_ = 0;
  bool accepts_ = true;
  Nursery sessions_;
  Nursery retiring_;
  Nursery winding_down_;
  Nursery revoking_;
};

WorkerThread::WorkerThread(Setup setup) {
  std::promise<void> started;
  std::future<void> running = started.get_future();
  thread_ = std::thread([this, &started, setup = std::make_shared<Setup>(std::move(setup))] {
    Run(std::move(*setup), [&started] { started.set_value(); });
  });
  running.wait();
}

void WorkerThread::Run(Setup setup, std::function<void()> started) {
  pthread_setname_np(pthread_self(), Cat("worker-", setup.index).c_str());  // as top -H shows it
  WakeAtOnce();
  Loop loop;
  Core core(loop, std::move(setup));
  mailbox_ = loop.mailbox();
  core_ = &core;
  counters_ = &core.worker().counters();
  resolver_counters_ = &core.resolver_counters();
  accept_counters_ = &core.accept_counters();
  pool_ = &core.worker().pool();
  leaf_counters_ = &core.worker().leaves().counters();
  large_buffers_refused_ = &Buffer::refused();
  std::exchange(started, nullptr)();
  loop.Run();
}

WorkerThread::~WorkerThread() {
  mailbox_->Post([] { Loop::current()->Stop(); });
  thread_.join();
}

void WorkerThread::Drain(DrainTimes times) {
  mailbox_->Post([this, times] { core_->Drain(times); });
}

bool WorkerThread::Change(WorkerChange change, std::function<void()> done) {
  // Shared, since what is posted has to be copyable.
  auto shared = std::make_shared<WorkerChange>(std::move(change));
  return mailbox_->Post([this, shared = std::move(shared), done = std::move(done)] {
    core_->Change(std::move(*shared));
    done();
  });
}

bool WorkerThread::Post(std::function<void(Worker&)> work) {
  return mailbox_->Post([this, work = std::move(work)] { work(core_->worker()); });
}

}  // namespace egret
