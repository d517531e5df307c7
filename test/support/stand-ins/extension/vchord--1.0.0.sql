CREATE FUNCTION vchordrq_amhandler(internal) RETURNS index_am_handler AS 'MODULE_PATHNAME', 'trueup_vchordrq_handler' LANGUAGE c;
CREATE ACCESS METHOD vchordrq TYPE INDEX HANDLER vchordrq_amhandler;

CREATE OPERATOR CLASS vector_l2_ops FOR TYPE vector USING vchordrq AS OPERATOR 1 <-> (vector, vector) FOR ORDER BY float_ops;
CREATE OPERATOR CLASS vector_ip_ops FOR TYPE vector USING vchordrq AS OPERATOR 1 <#> (vector, vector) FOR ORDER BY float_ops;
CREATE OPERATOR CLASS vector_cosine_ops FOR TYPE vector USING vchordrq AS OPERATOR 1 <=> (vector, vector) FOR ORDER BY float_ops;
