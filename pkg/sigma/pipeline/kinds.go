package pipeline

// kinds are the transformations: the parameters that each takes, those it needs with an exclamation mark.
var kinds = map[string]string{
	"field_name_mapping":        "mapping!",
	"field_name_prefix_mapping": "mapping!",
	"field_name_prefix":         "prefix!",
	"field_name_suffix":         "suffix!",
	"drop_detection_item":       "",
	"hashes_fields":             "valid_hash_algos! field_prefix drop_algo_prefix",
	"wildcard_placeholders":     "include exclude",
	"value_placeholders":        "include exclude",
	"add_condition":             "conditions! name template negated",
	"change_logsource":          "product category service",
	"add_field":                 "field!",
	"remove_field":              "field!",
	"set_field":                 "fields!",
	"replace_string":            "regex! replacement! skip_special interpret_special",
	"map_string":                "mapping!",
	"set_state":                 "key! val!",
	"set_value":                 "value! force_type",
	"convert_type":              "target_type!",
	"case":                      "method!",
	"regex":                     "method",
	"rule_failure":              "message!",
	"detection_item_failure":    "message!",
	"set_custom_attribute":      "attribute! value!",
	"nest":                      "items!",

	"extract_fields":                "regex! field_prefix preserve_unmatched",
	"query_expression_placeholders": "expression mapping include exclude",
	"strict_field_mapping_failure":  "",
}

// refused are transformations that pySigma has and that mean nothing here, with the reason.
var refused = map[string]string{
	"field_name_transform": "calls a function of Python, which no file can hold; use field_name_mapping, or a prefix mapping",
	"file_placeholders":    "reads files that the pipeline names; give them by --lookup NAME=FILE",
	"http_placeholders":    "fetches its values; detect fetches nothing: give them by --lookup NAME=FILE",
	"command_placeholders": "runs a command for its values; detect runs none: give them by --lookup NAME=FILE",
}

// common are the keys that every transformation may have.
var common = []string{
	"id", "type", "rule_conditions", "rule_cond_op", "rule_cond_not", "rule_cond_expr", "detection_item_conditions", "detection_item_cond_op",
	"detection_item_cond_not", "detection_item_cond_expr", "field_name_conditions", "field_name_cond_op", "field_name_cond_not", "field_name_cond_expr",
}
