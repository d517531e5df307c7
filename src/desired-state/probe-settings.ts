/**
 * Settings that decide a plan: those of PostgreSQL's manual, "Query Planning" and the parts of "Resource Consumption" that
 * costs are reckoned from. No other of the server's own: a probe must not change whose rights it runs with, where names
 * are looked up, or what is logged.
 */
const PLANNER =
  /^(?:enable_[a-z_]+|[a-z_]+_cost|geqo(?:_[a-z_]+)?|jit|jit_above_cost|work_mem|hash_mem_multiplier|effective_cache_size|effective_io_concurrency|(?:from|join)_collapse_limit|cursor_tuple_fraction|constraint_exclusion|default_statistics_target|recursive_worktable_factor|max_parallel_workers_per_gather|min_parallel_(?:table|index)_scan_size|parallel_leader_participation|plan_cache_mode)$/u;

/** A setting that an extension brings has a prefix: `prefix.name`. */
const OF_EXTENSION = /^[A-Za-z_][A-Za-z0-9_]*\.[A-Za-z_][A-Za-z0-9_.]*$/u;

/** Whether an extension brings it. */
export const isExtensionSetting = (name: string): boolean => OF_EXTENSION.test(name);

/** Whether a probe may set it. */
export const isProbeSetting = (name: string): boolean => PLANNER.test(name) || isExtensionSetting(name);
