#include "source/server/settings.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <optional>
#include <system_error>
#include <utility>

#include "source/base/log.h"
#include "source/base/strings.h"
#include "source/config/data_source.h"
#include "source/config/default_config.h"
#include "source/config/duration.h"
#include "source/config/load.h"
#include "source/config/validate.h"
#include "source/server/parent.h"

namespace egret {
namespace {

// The port of the first listener that has one.
void PutPort(uint16_t port, config::v1::Bootstrap& bootstrap) {
  for (config::v1::Listener& listener : *bootstrap.mutable_listeners()) {
    if (listener.ingress_case() != config::v1::Listener::kAddress) continue;
    const std::string& address = listener.address();
    if (address.starts_with("unix:")) continue;
    listener.set_address(Cat(address.substr(0, address.rfind(':')), ':', port));
    return;
  }
}

// What nobody else is to read: of each secret one file at most.
const std::string& PrivateFile(const config::v1::Secret& secret) {
  if (secret.has_certificate()) return secret.certificate().key().file();
  if (secret.has_certificate_authority()) return secret.certificate_authority().key().file();
  return secret.credential().file();
}

// Who else can read it knows the secret. (A file that cannot be read at all is told of by whoever reads it.)
void CheckModes(const config::v1::Bootstrap& bootstrap, std::vector<std::string>& warnings) {
  for (const config::v1::Secret& secret : bootstrap.secrets()) {
    const std::string& file = PrivateFile(secret);
    struct stat status{};
    if (file.empty() || stat(file.c_str(), &status) != 0) continue;
    if ((status.st_mode & S_IROTH) != 0)
      warnings.push_back(Cat("secrets: ", secret.name(), ": warning: everybody on this machine can read ", file,
                             "; take that right away: chmod o-r"));
    if (status.st_uid != 0 && status.st_uid != geteuid())
      warnings.push_back(Cat("secrets: ", secret.name(), ": warning: ", file,
                             " belongs to another user, who can change it; chown it"));
  }
}

void ApplyOptions(const Options& options, Settings& settings) {
  if (options.port) PutPort(*options.port, settings.bootstrap);
  if (options.workers) settings.bootstrap.set_workers(*options.workers);
  if (!options.node_id.empty()) settings.bootstrap.mutable_node()->set_id(options.node_id);
  if (options.parent.empty()) {
    if (!options.parent_credentials.empty())
      settings.problems.push_back("--parent-credentials: for which proxy? give --parent as well");
    return;
  }
  if (const auto problem = GoOutThrough(options.parent, options.parent_credentials, settings.bootstrap))
    settings.problems.push_back(problem->text);
}

}  // namespace

Settings LoadSettings(const Options& options) {
  Settings settings;
  std::string text(DefaultConfig());
  const std::string name = options.config.empty() ? std::string(kDefaultConfigName) : options.config;
  if (!options.config.empty()) {
    config::v1::DataSource file;
    file.set_file(options.config);
    Result<std::string, Problem> read = ReadDataSource(file);
    if (!read) {
      settings.problems.push_back(read.error().text);
      return settings;
    }
    text = std::move(*read);
  }
  Log(LogComponent::kConfig, LogLevel::kDebug, "read ", name, ", ", text.size(), " bytes");
  const LoadResult loaded = Load(text, name, FormatOf(name), settings.bootstrap);
  std::vector<ConfigError> errors = loaded.errors;
  if (loaded.ok()) {
    ApplyOptions(options, settings);
    const bool open = settings.bootstrap.has_xds() || settings.bootstrap.has_directory();
    errors = open ? ValidateOpen(settings.bootstrap, loaded.locations) : Validate(settings.bootstrap, loaded.locations);
    CheckModes(settings.bootstrap, settings.warnings);
  }
  for (const ConfigError& error : errors)
    (error.warning() ? settings.warnings : settings.problems).push_back(error.ToString());
  return settings;
}

MemoryThresholds MemoryThresholdsOf(const config::v1::Limits& limits) {
  const auto read = [](bool given, const config::v1::Limits::Threshold& threshold) -> std::optional<MemoryThreshold> {
    if (!given) return std::nullopt;
    return MemoryThreshold{threshold.percent(), threshold.bytes()};
  };
  return {read(limits.memory().has_soft(), limits.memory().soft()),
          read(limits.memory().has_hard(), limits.memory().hard())};
}

KeyLog::Options KeyLogOptionsOf(const config::v1::Debug::TlsKeyLog& key_log) {
  KeyLog::Options options;
  options.path = key_log.path();
  if (key_log.has_duration()) options.duration_ms = Milliseconds(key_log.duration());
  if (key_log.has_max_file_bytes()) options.max_file_bytes = key_log.max_file_bytes();
  return options;
}

AresResolverOptions ResolverOptionsOf(const config::v1::Bootstrap& bootstrap) {
  AresResolverOptions options;
  const config::v1::Resolver& resolver = bootstrap.resolver();
  for (const std::string& server : resolver.servers())
    if (const auto endpoint = Endpoint::Parse(server)) options.servers.push_back(*endpoint);
  if (resolver.has_timeout()) options.timeout_ms = Milliseconds(resolver.timeout());
  if (resolver.has_hosts_file()) options.hosts = resolver.hosts_file();
  const auto& cache = resolver.cache();
  if (cache.has_max_entries()) options.max_names = cache.max_entries();
  if (cache.has_max_negative_entries()) options.max_negative_names = cache.max_negative_entries();
  if (cache.has_min_ttl()) options.min_ttl_ms = Milliseconds(cache.min_ttl());
  if (cache.has_max_ttl()) options.max_ttl_ms = Milliseconds(cache.max_ttl());
  if (cache.has_negative_ttl()) options.negative_ttl_ms = Milliseconds(cache.negative_ttl());
  return options;
}

LogPlan LogPlanOf(const config::v1::Bootstrap& bootstrap) {
  LogPlan plan;
  std::map<std::string, size_t> known;  // text format (empty: JSON) -> its place
  const auto add = [&](const std::string& path, const std::string& text) {
    const auto [at, is_new] = known.try_emplace(text, plan.formats.size());
    if (is_new) {
      std::optional<LogFormat>& format = plan.formats.emplace_back();
      if (!text.empty()) format = *LogFormat::Compile(text);  // validated
    }
    plan.sinks.push_back({path, at->second});
  };
  for (const config::v1::AccessLog& log : bootstrap.access_log()) {
    const std::string text = log.has_text_format() ? log.text_format() : std::string(LogFormat::kDefault);
    add(log.file().path(), log.format() == config::v1::AccessLog::TEXT ? text : "");
    plan.fingerprints = plan.fingerprints || log.fingerprints();
  }
  if (plan.sinks.empty()) add("/dev/stdout", "");
  return plan;
}

}  // namespace egret
