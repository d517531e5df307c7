/*
 * Access methods under the names of extensions that no package registry gives, for tests. They store nothing: a build
 * counts the rows that it would index, an insert does nothing, no plan ever scans them. Options, operator classes and
 * the limits that matter are those of the real ones; validity, locks and CONCURRENTLY are the server's own work.
 *
 * Compiles against PostgreSQL 15 and newer.
 */
#include "postgres.h"

#include "access/amapi.h"
#include "access/genam.h"
#include "access/reloptions.h"
#include "access/relscan.h"
#include "access/tableam.h"
#include "catalog/index.h"
#include "commands/vacuum.h"
#include "fmgr.h"
#include "nodes/pathnodes.h"
#include "utils/rel.h"

PG_MODULE_MAGIC;

void _PG_init(void);

PG_FUNCTION_INFO_V1(trueup_vchordrq_handler);
PG_FUNCTION_INFO_V1(trueup_scann_handler);
PG_FUNCTION_INFO_V1(trueup_diskann_handler);
PG_FUNCTION_INFO_V1(trueup_pgroonga_handler);
PG_FUNCTION_INFO_V1(trueup_bm25_handler);
PG_FUNCTION_INFO_V1(trueup_textsearch_handler);

static relopt_kind vchordrq_kind;
static relopt_kind scann_kind;
static relopt_kind diskann_kind;
static relopt_kind pgroonga_kind;
static relopt_kind bm25_kind;
static relopt_kind textsearch_kind;

/* Below it the planner of scann finds no partitions: what AlloyDB documents for mode AUTO. */
#define SCANN_MINIMUM_ROWS 10000

/* TOML: sections, assignments, comments. */
static void
check_vchord_options(const char *value)
{
	const char *line = value;

	while (line != NULL && *line != '\0')
	{
		const char *end = strchr(line, '\n');
		size_t		length = end == NULL ? strlen(line) : (size_t) (end - line);

		while (length > 0 && (*line == ' ' || *line == '\t'))
		{
			line++;
			length--;
		}
		if (length > 0 && *line != '#' && *line != '[' && *line != ']' && memchr(line, '=', length) == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("failed to parse options: expected `.`, `=`")));
		line = end == NULL ? NULL : end + 1;
	}
}

static void
check_one_of(const char *option, const char *value, const char *const *allowed)
{
	for (; *allowed != NULL; allowed++)
		if (pg_strcasecmp(value, *allowed) == 0)
			return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value for option \"%s\": \"%s\"", option, value)));
}

static void
check_scann_mode(const char *value)
{
	static const char *const allowed[] = {"AUTO", "MANUAL", NULL};

	check_one_of("mode", value, allowed);
}

static void
check_scann_quantizer(const char *value)
{
	static const char *const allowed[] = {"SQ8", "FLAT", "AH", NULL};

	check_one_of("quantizer", value, allowed);
}

/* PGroonga asks Groonga whether there is a plugin of that name. */
static void
check_groonga_name(const char *option, const char *prefix, const char *value)
{
	if (*value == '\0' || strcmp(value, "none") == 0)
		return;
	if (strncmp(value, prefix, strlen(prefix)) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("pgroonga: [option][%s][validate] nonexistent %s: <%s>", option, option, value)));
}

static void
check_tokenizer(const char *value)
{
	check_groonga_name("tokenizer", "Token", value);
}

static void
check_normalizer(const char *value)
{
	check_groonga_name("normalizer", "Normalizer", value);
}

void
_PG_init(void)
{
	vchordrq_kind = add_reloption_kind();
	add_string_reloption(vchordrq_kind, "options", "TOML", "", check_vchord_options, AccessExclusiveLock);

	scann_kind = add_reloption_kind();
	add_string_reloption(scann_kind, "mode", "AUTO or MANUAL", "AUTO", check_scann_mode, AccessExclusiveLock);
	add_string_reloption(scann_kind, "quantizer", "SQ8, FLAT or AH", "SQ8", check_scann_quantizer,
						 AccessExclusiveLock);
	add_int_reloption(scann_kind, "num_leaves", "partitions", 0, 0, 1048576, AccessExclusiveLock);
	add_int_reloption(scann_kind, "max_num_levels", "levels of the tree", 1, 1, 3, AccessExclusiveLock);

	diskann_kind = add_reloption_kind();
	add_int_reloption(diskann_kind, "max_neighbors", "edges per node", 32, 20, 1538, AccessExclusiveLock);
	add_int_reloption(diskann_kind, "l_value_ib", "search list of the build", 50, 10, 500, AccessExclusiveLock);
	add_bool_reloption(diskann_kind, "product_quantized", "product quantisation", false, AccessExclusiveLock);

	pgroonga_kind = add_reloption_kind();
	add_string_reloption(pgroonga_kind, "tokenizer", "tokenizer", "TokenBigram", check_tokenizer,
						 AccessExclusiveLock);
	add_string_reloption(pgroonga_kind, "normalizer", "normalizer", "NormalizerAuto", check_normalizer,
						 AccessExclusiveLock);
	add_string_reloption(pgroonga_kind, "token_filters", "token filters", "", NULL, AccessExclusiveLock);
	add_string_reloption(pgroonga_kind, "plugins", "plugins", "", NULL, AccessExclusiveLock);

	bm25_kind = add_reloption_kind();
	add_string_reloption(bm25_kind, "options", "TOML", "", check_vchord_options, AccessExclusiveLock);

	textsearch_kind = add_reloption_kind();
	add_string_reloption(textsearch_kind, "text_config", "text search configuration", NULL, NULL, AccessExclusiveLock);
	add_real_reloption(textsearch_kind, "k1", "term frequency saturation", 1.2, 0.1, 10.0, AccessExclusiveLock);
	add_real_reloption(textsearch_kind, "b", "length normalisation", 0.75, 0.0, 1.0, AccessExclusiveLock);
}

typedef struct VchordOptions
{
	int32		vl_len_;
	int			options;
} VchordOptions;

typedef struct ScannOptions
{
	int32		vl_len_;
	int			mode;
	int			quantizer;
	int			num_leaves;
	int			max_num_levels;
} ScannOptions;

typedef struct DiskannOptions
{
	int32		vl_len_;
	int			max_neighbors;
	int			l_value_ib;
	bool		product_quantized;
} DiskannOptions;

typedef struct PgroongaOptions
{
	int32		vl_len_;
	int			tokenizer;
	int			normalizer;
	int			token_filters;
	int			plugins;
} PgroongaOptions;

typedef struct TextsearchOptions
{
	int32		vl_len_;
	int			text_config;
	double		k1;
	double		b;
} TextsearchOptions;

static bytea *
textsearch_options(Datum reloptions, bool validate)
{
	static const relopt_parse_elt table[] = {
		{"text_config", RELOPT_TYPE_STRING, offsetof(TextsearchOptions, text_config)},
		{"k1", RELOPT_TYPE_REAL, offsetof(TextsearchOptions, k1)},
		{"b", RELOPT_TYPE_REAL, offsetof(TextsearchOptions, b)},
	};

	return (bytea *) build_reloptions(reloptions, validate, textsearch_kind, sizeof(TextsearchOptions), table,
									  lengthof(table));
}

static bytea *
vchordrq_options(Datum reloptions, bool validate)
{
	static const relopt_parse_elt table[] = {
		{"options", RELOPT_TYPE_STRING, offsetof(VchordOptions, options)},
	};

	return (bytea *) build_reloptions(reloptions, validate, vchordrq_kind, sizeof(VchordOptions), table,
									  lengthof(table));
}

static bytea *
bm25_options(Datum reloptions, bool validate)
{
	static const relopt_parse_elt table[] = {
		{"options", RELOPT_TYPE_STRING, offsetof(VchordOptions, options)},
	};

	return (bytea *) build_reloptions(reloptions, validate, bm25_kind, sizeof(VchordOptions), table,
									  lengthof(table));
}

static bytea *
scann_options(Datum reloptions, bool validate)
{
	static const relopt_parse_elt table[] = {
		{"mode", RELOPT_TYPE_STRING, offsetof(ScannOptions, mode)},
		{"quantizer", RELOPT_TYPE_STRING, offsetof(ScannOptions, quantizer)},
		{"num_leaves", RELOPT_TYPE_INT, offsetof(ScannOptions, num_leaves)},
		{"max_num_levels", RELOPT_TYPE_INT, offsetof(ScannOptions, max_num_levels)},
	};

	return (bytea *) build_reloptions(reloptions, validate, scann_kind, sizeof(ScannOptions), table,
									  lengthof(table));
}

static bytea *
diskann_options(Datum reloptions, bool validate)
{
	static const relopt_parse_elt table[] = {
		{"max_neighbors", RELOPT_TYPE_INT, offsetof(DiskannOptions, max_neighbors)},
		{"l_value_ib", RELOPT_TYPE_INT, offsetof(DiskannOptions, l_value_ib)},
		{"product_quantized", RELOPT_TYPE_BOOL, offsetof(DiskannOptions, product_quantized)},
	};

	return (bytea *) build_reloptions(reloptions, validate, diskann_kind, sizeof(DiskannOptions), table,
									  lengthof(table));
}

static bytea *
pgroonga_options(Datum reloptions, bool validate)
{
	static const relopt_parse_elt table[] = {
		{"tokenizer", RELOPT_TYPE_STRING, offsetof(PgroongaOptions, tokenizer)},
		{"normalizer", RELOPT_TYPE_STRING, offsetof(PgroongaOptions, normalizer)},
		{"token_filters", RELOPT_TYPE_STRING, offsetof(PgroongaOptions, token_filters)},
		{"plugins", RELOPT_TYPE_STRING, offsetof(PgroongaOptions, plugins)},
	};

	return (bytea *) build_reloptions(reloptions, validate, pgroonga_kind, sizeof(PgroongaOptions), table,
									  lengthof(table));
}

static void
count_row(Relation index, ItemPointer tid, Datum *values, bool *isnull, bool tupleIsAlive, void *state)
{
	if (!isnull[0])
		(*(double *) state)++;
}

/* Evaluates predicates and expressions as any build does, so that what fails there fails here. */
static IndexBuildResult *
build(Relation heap, Relation index, IndexInfo *info)
{
	IndexBuildResult *result = palloc0(sizeof(IndexBuildResult));
	double		counted = 0;

	result->heap_tuples = table_index_build_scan(heap, index, info, true, false, count_row, &counted, NULL);
	result->index_tuples = counted;
	return result;
}

static IndexBuildResult *
build_scann(Relation heap, Relation index, IndexInfo *info)
{
	IndexBuildResult *result = build(heap, index, info);
	ScannOptions *options = (ScannOptions *) index->rd_options;
	const char *mode = options == NULL ? "AUTO" : GET_STRING_RELOPTION(options, mode);

	if (result->index_tuples == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("Cannot create ScaNN index with empty table."),
				 errhint("Once the table is populated with data, create the index.")));
	if (pg_strcasecmp(mode, "AUTO") == 0 && result->index_tuples < SCANN_MINIMUM_ROWS)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("Cannot create ScaNN index, error: at least %d embeddings are needed in mode AUTO, found %.0f.",
						SCANN_MINIMUM_ROWS, result->index_tuples)));
	return result;
}

static void
build_empty(Relation index)
{
}

static bool
insert(Relation index, Datum *values, bool *isnull, ItemPointer tid, Relation heap, IndexUniqueCheck unique,
	   bool unchanged, IndexInfo *info)
{
	return false;
}

static IndexBulkDeleteResult *
bulk_delete(IndexVacuumInfo *info, IndexBulkDeleteResult *stats, IndexBulkDeleteCallback callback, void *state)
{
	return stats == NULL ? palloc0(sizeof(IndexBulkDeleteResult)) : stats;
}

static IndexBulkDeleteResult *
vacuum_cleanup(IndexVacuumInfo *info, IndexBulkDeleteResult *stats)
{
	return stats;
}

static void
cost_estimate(struct PlannerInfo *root, struct IndexPath *path, double loops, Cost *startup, Cost *total,
			  Selectivity *selectivity, double *correlation, double *pages)
{
	*startup = 1.0e40;
	*total = 1.0e40;
	*selectivity = 1;
	*correlation = 0;
	*pages = 1;
}

static bool
validate_class(Oid opclass)
{
	return true;
}

static IndexScanDesc
begin_scan(Relation index, int keys, int orderbys)
{
	return RelationGetIndexScan(index, keys, orderbys);
}

static void
rescan(IndexScanDesc scan, ScanKey keys, int nkeys, ScanKey orderbys, int norderbys)
{
}

static void
end_scan(IndexScanDesc scan)
{
}

static IndexAmRoutine *
routine(amoptions_function options)
{
	IndexAmRoutine *am = makeNode(IndexAmRoutine);

	am->amcanorderbyop = true;
	am->amcanmulticol = true;
	am->amoptionalkey = true;
	am->amkeytype = InvalidOid;
	am->ambuild = build;
	am->ambuildempty = build_empty;
	am->aminsert = insert;
	am->ambulkdelete = bulk_delete;
	am->amvacuumcleanup = vacuum_cleanup;
	am->amcostestimate = cost_estimate;
	am->amoptions = options;
	am->amvalidate = validate_class;
	am->ambeginscan = begin_scan;
	am->amrescan = rescan;
	am->amendscan = end_scan;
	/* Neither amgettuple nor amgetbitmap: the planner makes no path of it. */
	return am;
}

Datum
trueup_vchordrq_handler(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(routine(vchordrq_options));
}

Datum
trueup_scann_handler(PG_FUNCTION_ARGS)
{
	IndexAmRoutine *am = routine(scann_options);

	am->ambuild = build_scann;
	PG_RETURN_POINTER(am);
}

Datum
trueup_diskann_handler(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(routine(diskann_options));
}

Datum
trueup_pgroonga_handler(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(routine(pgroonga_options));
}

Datum
trueup_bm25_handler(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(routine(bm25_options));
}

Datum
trueup_textsearch_handler(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(routine(textsearch_options));
}
