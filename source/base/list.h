// An intrusive, circular, doubly linked list. A node is on at most one list and leaves it when it dies, so whoever is
// hooked somewhere can be destroyed at any moment. Single-threaded.
#pragma once

namespace egret {

class ListNode {
 public:
  ListNode() = default;
  ListNode(const ListNode&) = delete;
  ListNode& operator=(const ListNode&) = delete;
  ~ListNode() { Unlink(); }

  bool linked() const { return next_ != this; }

  void Unlink() {
    prev_->next_ = next_;
    next_->prev_ = prev_;
    next_ = prev_ = this;
  }

  // The following treat *this as a list's head.
  bool empty() const { return !linked(); }
  ListNode* first() const { return next_; }
  ListNode* last() const { return prev_; }
  ListNode* after() const { return next_; }
  ListNode* before() const { return prev_; }

  void PushBack(ListNode& node) {
    node.Unlink();
    node.prev_ = prev_;
    node.next_ = this;
    prev_->next_ = &node;
    prev_ = &node;
  }

  // Moves every node of `other` to the end of *this, in order.
  void TakeAll(ListNode& other) {
    if (other.empty()) return;
    other.next_->prev_ = prev_;
    prev_->next_ = other.next_;
    other.prev_->next_ = this;
    prev_ = other.prev_;
    other.next_ = other.prev_ = &other;
  }

 private:
  ListNode* next_ = this;
  ListNode* prev_ = this;
};

}  // namespace egret
