"""Words that no text may use with members: too vague, too technical, or about what is nobody's business."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from benne.features.forbidden_topics import topics_in
from benne.features.registration import JARGON, VAGUE_REASONS

if TYPE_CHECKING:
    from benne.explain.texts.catalogue import Language

__all__ = ["jargon_in", "topics_of", "vague_in"]

_VAGUE: Final[dict[Language, tuple[str, ...]]] = {
    "en": (*VAGUE_REASONS, "polic(y|ies)$", "overall", "risk$", "risks$", "system$", "decision", "points?$",
           "thin[- ]file"),
    "zh": (
        "信用分", "评分", "得分", "分数", "内部政策", "内部规定", "内部标准", "综合评估", "综合评定", "综合考虑",
        "资质", "不符合", "未达标", "未达到要求", "标准", "准入", "算法", "模型", "系统", "风险", "信用状况",
        "信用不良", "信用不佳", "资信", "其他原因", "多种原因", "各种原因", "有关规定", "相关规定", "政策",
    ),
}  # fmt: skip
"""What no reason may rest on; English words as beginnings, or whole words where ``$`` ends them."""

_JARGON: Final[dict[Language, tuple[str, ...]]] = {
    "en": (
        *JARGON, "shap(ley)?$", "log[- ]?odds", "obligors?$", "tenures?$", "coefficient", "quantile",
        "quartile", "covariate", "regress", "scorecard", "counter-?factual", "imput(e|ed|ation)s?$", "basis points",
        "amorti[sz]", "securiti[sz]", "probability of default", "hash(es)?$", "monoton", "calibrat",
        "outlier", "vintage", "cohort", "boolean", "parameter", "threshold", "pursuant", "hereby", "herein", "thereof",
        "notwithstanding", "aforementioned", "hereinafter",
    ),
    "zh": (
        "违约概率", "对数", "几率", "赔率", "特征", "变量", "分箱", "入模", "敞口", "杠杆", "夏普", "沙普利", "基尼",
        "回归", "方差", "标准差", "分位", "百分位", "负债率", "迁徙率", "衍生", "循环信贷", "循环余额",
        "坏账率", "阈值", "哈希", "反事实", "薄档案", "空值", "缺失值", "参数", "债务人", "校准", "单调",
        "最小单位", "兹", "之规定", "鉴于",
    ),
}  # fmt: skip
"""Words that a member need not know: those of the registry, of models, and of contracts."""

_TOPICS_ZH: Final = (
    "宗教", "信仰", "教徒", "教会", "民族", "种族", "性别", "男性", "女性", "男士", "女士", "先生", "年龄", "周岁",
    "年纪", "老年", "青年", "婚", "配偶", "丈夫", "妻子", "怀孕", "生育", "子女", "孩子", "家庭", "父母", "健康",
    "疾病", "患病", "病史", "残疾", "医疗", "医院", "基因", "血型", "指纹", "人脸", "生物识别", "政治", "党员",
    "党派", "工会", "国籍", "籍贯", "户籍", "户口", "移民", "外国人", "学历", "学校", "大学", "毕业", "性取向",
    "同性恋", "出生", "生日", "星座", "属相", "住址", "居住地", "小区", "搬家", "地域", "慈善", "捐", "购物", "商品",
    "游戏", "彩票", "烟", "酒", "低保", "救济", "授权", "撤回", "异议", "申诉", "投诉", "起诉", "查询", "复议",
)  # fmt: skip
"""As ``benne.features.forbidden_topics``, in Chinese: what no text of a feature may mention."""

_HARMLESS_ZH: Final = re.compile("已授权的?会员|如信息有误，请提出异议")
"""Said of whose data enter, and of what a member may always do."""


def vague_in(language: Language, text: str) -> Iterator[str]:
    """Find words that say nothing about a member.

    Examples
    --------
    >>> list(vague_in("en", "Score too low")), list(vague_in("zh", "综合评分不足"))
    (['score'], ['评分'])
    >>> list(vague_in("en", "A payment was a month or more late"))
    []
    """
    return _found(language, _VAGUE[language], text)


def jargon_in(language: Language, text: str) -> Iterator[str]:
    """Find words of the trade.

    Examples
    --------
    >>> list(jargon_in("en", "High utilisation of revolving lines")), list(jargon_in("zh", "违约概率较高"))
    (['utilisation', 'revolv'], ['违约概率'])
    """
    return _found(language, _JARGON[language], text)


def topics_of(language: Language, text: str) -> Iterator[str]:
    """Find what no text of a feature may be about.

    Examples
    --------
    >>> list(topics_of("zh", "年龄较小")), list(topics_of("zh", "没有收到已授权会员的评价"))
    (['年龄'], [])
    """
    if language == "en":
        yield from (found for found, _ in topics_in(text))
    else:
        yield from _found(language, _TOPICS_ZH, _HARMLESS_ZH.sub("", text))


def _found(language: Language, words: tuple[str, ...], text: str) -> Iterator[str]:
    if language == "zh":
        joined = re.sub(r"[\s·.．]", "", unicodedata.normalize("NFKC", text))
        yield from (word for word in words if word in joined)
        return
    for word in words:
        match = re.search(rf"(?<![a-z]){word.replace('$', '(?![a-z])')}", text.lower())
        if match:
            yield match.group()
