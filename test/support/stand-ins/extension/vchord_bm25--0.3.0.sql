-- The text form serves as the value: nothing computes with it.
CREATE TYPE bm25vector;
CREATE FUNCTION _vchord_bm25_bm25vector_in(cstring) RETURNS bm25vector IMMUTABLE STRICT PARALLEL SAFE LANGUAGE internal AS 'textin';
CREATE FUNCTION _vchord_bm25_bm25vector_out(bm25vector) RETURNS cstring IMMUTABLE STRICT PARALLEL SAFE LANGUAGE internal AS 'textout';
CREATE TYPE bm25vector (INPUT = _vchord_bm25_bm25vector_in, OUTPUT = _vchord_bm25_bm25vector_out, STORAGE = external);

CREATE FUNCTION bm25_amhandler(internal) RETURNS index_am_handler AS 'MODULE_PATHNAME', 'trueup_bm25_handler' LANGUAGE c;
CREATE ACCESS METHOD bm25 TYPE INDEX HANDLER bm25_amhandler;

CREATE OPERATOR CLASS bm25_ops FOR TYPE bm25vector USING bm25 AS STORAGE bm25vector;
