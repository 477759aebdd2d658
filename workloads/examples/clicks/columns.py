"""What the columns of a shown advertisement are called, in the order in which the network takes them."""

DENSE = ("price",)
SPARSE = (
    "userid", "cms_segid", "cms_group_id", "final_gender_code", "age_level", "pvalue_level", "shopping_level",
    "occupation", "new_user_class_level", "adgroup_id", "cate_id", "campaign_id", "customer", "brand", "pid", "btag",
)  # fmt: skip
LABEL = "clk"
