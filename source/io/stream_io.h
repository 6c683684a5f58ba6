// Small tasks over a Stream that several rooms need.
#pragma once

#include <string_view>

#include "source/event/task.h"
#include "source/io/stream.h"

namespace egret {

// Writes all of it, waiting where it must. The bytes must stay where they are until it ends. kBytes with the whole
// count, or kFailed.
Task<Io> WriteAll(Stream& to, std::string_view bytes);

// Says that no more comes, waiting where it must.
Task<void> FinishAll(Stream& stream);

// After a final reply over unread bytes: ends our side, then reads and throws away for at most `ms` and `bytes`, so
// that close() sends FIN rather than an RST that would take the reply with it (RFC 9112 9.6).
Task<void> LingeringClose(Stream& stream, uint64_t ms, size_t bytes);

// Whether the peer ended its side, or broke the stream, and every byte before that has been read. Never takes a byte;
// false where it cannot be told (only a socket can).
bool EndedUnread(Stream& stream);

// What can be read next, without taking it: how many bytes were copied; 0 where there are none, or it cannot be told.
size_t PeekUnread(Stream& stream, std::span<char> into);

}  // namespace egret
