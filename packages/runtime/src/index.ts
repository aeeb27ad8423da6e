export { AttemptLimit } from "./attempt-limit.ts";
export { type Clock, repeat, type SettableClock, settableClock, systemClock } from "./clock.ts";
export { type ConfigInput, type ConfigResult, checkConfig, type Environment, loadConfig } from "./config.ts";
export { type ConfigProblem, problemLine } from "./config-problem.ts";
export { KAFKA_ACCESS, KafkaBroker, kafkaAccess } from "./kafka-client-config.ts";
export { DRAIN_MS, EXIT_FAILED, EXIT_OK, type ProcessEvents, type RunOptions, runService } from "./lifecycle.ts";
export {
  createLogger,
  errorFields,
  LOG_LEVELS,
  type Logger,
  type LoggerOptions,
  type LogLevel,
  silentLogger,
} from "./logger.ts";
export { type CountMetric, createMetrics, type DurationMetric, type Metrics, type ValueMetric } from "./metrics.ts";
export { RETRY_BASE_MS, RETRY_COUNT_MAX, RETRY_MAX_MS, type RetryOptions, retry } from "./retry.ts";
export { Secret, secretText } from "./secret.ts";
export {
  HEALTHY,
  type Health,
  joinServices,
  type ProbeAnswer,
  probeAnswer,
  type Service,
  worstHealth,
} from "./service.ts";
