"""Every kind of schema type, by the rows that become it: ``sqlspec.core.row_types``."""

from __future__ import annotations

import collections
import dataclasses
import typing
from collections.abc import Mapping
from dataclasses import KW_ONLY, InitVar, dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Generic, NamedTuple, NotRequired, Required, TypeVar

import attrs
import msgspec
import pydantic
import pytest
from pydantic import AliasChoices, AliasPath, BaseModel, ConfigDict, Json
from typing_extensions import ReadOnly, TypeAliasType, TypedDict

from sqlspec.core.rows import Shape
from sqlspec.exceptions import ImproperConfigurationError, MappingError

if TYPE_CHECKING:
    from decimal import Decimal as Unknown

T = TypeVar("T")
U = TypeVar("U")


def made(wanted: Any, **columns: Any) -> Any:
    """Return what a row with these columns becomes, once ``one`` and ``many`` agree, plain and compiled."""
    maker, row = Shape(tuple(columns)).maker(wanted), tuple(columns.values())
    results = [maker.one(row) for _ in range(6)] + [maker.many([row, row])[1] for _ in range(6)]
    assert all(result == results[0] for result in results)
    assert all(type(result) is type(results[0]) for result in results)
    return results[0]


def refused(wanted: Any, **columns: Any) -> str:
    """Return what is said about a row that does not become the type."""
    with pytest.raises(MappingError) as caught:
        made(wanted, **columns)
    return str(caught.value)


# dataclasses


@dataclass
class User:
    id: int
    name: str = "nobody"
    tags: list[str] = field(default_factory=list[str])


@dataclass(slots=True, frozen=True, kw_only=True)
class Sealed:
    id: int
    name: str = "nobody"


@dataclass
class Admin(User):
    level: int = 1
    _: KW_ONLY
    since: int = 0
    seen: int = field(default=0, init=False)
    kind: ClassVar[str] = "admin"


def test_dataclasses_take_columns_by_name_in_any_order() -> None:  # R3
    assert made(User, id=1, name="a", tags=["x"]) == User(1, "a", ["x"])
    assert made(User, tags=["x"], extra=0, name="a", id=1) == User(1, "a", ["x"])


def test_dataclasses_fill_in_defaults() -> None:  # R4
    assert made(User, id=1) == User(1)
    assert made(User, id=1, tags=["x"]) == User(1, tags=["x"])
    first, second = Shape(("id",)).maker(User).many([(1,), (2,)])
    assert first.tags is not second.tags


def test_slotted_frozen_keyword_dataclasses() -> None:  # R3
    assert made(Sealed, name="a", id=1) == Sealed(id=1, name="a")


def test_inherited_keyword_and_computed_fields() -> None:  # R3
    assert made(Admin, since=3, level=2, id=1, seen=9, kind="x") == Admin(1, level=2, since=3)


@dataclass(kw_only=True)
class Keywords:
    id: int


@dataclass
class Late(Keywords):
    level: int = 1


def test_keyword_fields_of_a_base_stand_before_positional_ones() -> None:  # R3
    assert made(Late, id=1, level=2) == Late(2, id=1)


def test_post_init_runs() -> None:
    @dataclass
    class Doubled:
        id: int

        def __post_init__(self) -> None:
            self.id *= 2

    assert made(Doubled, id=1).id == 2


def test_an_init_var_is_told() -> None:
    @dataclass
    class WithSecret:
        id: int
        secret: InitVar[int] = 0

    with pytest.raises(ImproperConfigurationError, match=r"WithSecret\.secret is an InitVar"):
        made(WithSecret, id=1)


def test_a_dataclass_without_init_is_told() -> None:
    @dataclass(init=False)
    class ByHand:
        id: int

    with pytest.raises(ImproperConfigurationError, match="init=False"):
        made(ByHand, id=1)


def test_made_dataclasses() -> None:
    kind = dataclasses.make_dataclass("kind", [("id", int), ("name", str, field(default="x"))])
    assert made(kind, id=1) == kind(1)


# msgspec


class Record(msgspec.Struct):
    id: int
    name: str = "nobody"
    tags: list[str] = []


class Frozen(msgspec.Struct, frozen=True, kw_only=True, array_like=True, forbid_unknown_fields=True, tag="f"):
    id: int
    name: str = "nobody"


class Camel(Record, rename="camel"):
    first_name: str = "?"


class Mixed(Record, kw_only=True):
    level: int


def test_structs() -> None:  # R3
    assert made(Record, name="a", id=1) == Record(1, "a")
    assert made(Record, id=1, extra=2) == Record(1)
    assert made(Frozen, extra=2, name="a", id=1) == Frozen(id=1, name="a")
    assert made(Mixed, level=2, id=1) == Mixed(1, level=2)


def test_renamed_fields_take_both_names() -> None:
    """The name on the wire is the type's own rule; columns mostly have the field's name."""
    assert made(Camel, id=1, firstName="a") == Camel(1, first_name="a")
    assert made(Camel, id=1, first_name="a") == Camel(1, first_name="a")
    assert made(Camel, id=1, first_name="b", firstName="a") == Camel(1, first_name="a")


def test_constraints_are_checked() -> None:  # R4
    positive = Annotated[int, msgspec.Meta(gt=0)]
    kind = msgspec.defstruct("Positive", [("id", positive)])
    assert made(kind, id=1).id == 1
    assert "Row 1: column 'id' (int) does not fit field 'id: int'" in refused(kind, id=-1)
    assert made(positive, id=1) == 1
    assert "Row 1" in refused(positive, id=-1)


# attrs


def upper(text: str) -> str:
    return text.upper()


@attrs.define
class Attrs:
    id: int
    _secret: str = "none"
    upper: str = attrs.field(default="x", converter=upper)
    late: int = attrs.field(init=False, default=7)
    named: int = attrs.field(default=0, kw_only=True, alias="other")


def test_attrs_classes() -> None:  # R3
    assert made(Attrs, secret="a", id=1) == Attrs(1, "a")
    assert made(Attrs, _secret="a", id=1, late=0) == Attrs(1, "a")
    assert made(Attrs, id=1, upper="abc", other=3) == Attrs(1, upper="abc", other=3)
    assert "does not fit field 'id: int' of Attrs" in refused(Attrs, id="1")


# pydantic


class Model(BaseModel):
    id: int
    name: str = "nobody"


class Aliased(BaseModel):
    id: int = pydantic.Field(alias="ID")
    name: str = pydantic.Field(default="x", validation_alias=AliasChoices("title", AliasPath("names", 0)))


class ByName(BaseModel):
    model_config = ConfigDict(populate_by_name=True)
    id: int = pydantic.Field(alias="ID")


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    id: int


class Loose(BaseModel):
    model_config = ConfigDict(extra="allow")
    id: int


class Documents(BaseModel):
    one: dict[str, Any]
    many: list[Model] = []
    text: str = ""
    raw: Json[list[int]] = []
    maybe: Json[list[int]] | None = None


@pydantic.dataclasses.dataclass
class PydanticUser:
    id: int
    name: str = "nobody"


def test_pydantic_models_judge_by_their_own_rules() -> None:  # R3
    assert made(Model, name="a", id=1, extra=2) == Model(id=1, name="a")
    assert made(Model, id="1") == Model(id=1)
    assert made(PydanticUser, id=1) == PydanticUser(1)


def test_pydantic_aliases() -> None:
    assert made(Aliased, ID=1).id == 1
    assert made(Aliased, ID=1, title="a").name == "a"
    assert made(Aliased, ID=1, names=["b"]).name == "b"
    assert "no column is named 'ID'" in refused(Aliased, id=1)
    assert made(ByName, id=1) == made(ByName, ID=1)


def test_pydantic_extra_columns() -> None:  # R4
    assert made(Strict, id=1, extra=2) == Strict(id=1)
    assert made(Loose, id=1, extra=2) == Loose.model_validate({"id": 1, "extra": 2})


def test_pydantic_fields_take_json_text() -> None:  # P5
    found = made(Documents, one='{"a": 1}', many=b'[{"id": 1}]', text="[1]", raw="[1]", maybe="[2]")
    assert found == Documents.model_validate(
        {"one": {"a": 1}, "many": [{"id": 1}], "text": "[1]", "raw": "[1]"} | {"maybe": "[2]"}
    )
    assert "column 'one' (str) does not fit field 'one: dict[str, Any]'" in refused(Documents, one="{")


def test_pydantic_errors_name_no_values() -> None:  # R4 E5
    message = refused(Model, id="a secret")
    assert message == (
        "Row 1: column 'id' (str) does not fit field 'id: int' of Model. pydantic says 'int_parsing'. "
        "Convert the column in the statement, or change the type."
    )
    assert "Model needs field 'id: int'" in refused(Model, name="a")


def test_pydantic_model_validators_are_told() -> None:  # R4
    class Never(BaseModel):
        id: int

        @pydantic.model_validator(mode="after")
        def check(self) -> Never:
            raise ValueError(f"bad {self.id}")

    assert refused(Never, id=12345) == "Row 1: Never refused the values: pydantic says 'value_error'."


# TypedDict, NamedTuple, dict, tuple


class Keyed(TypedDict):
    id: Required[int]
    name: NotRequired[str]
    both: NotRequired[ReadOnly[int]]


class Partial(Keyed, total=False):
    level: int
    must: Required[int]


class Named(NamedTuple):
    id: int
    name: str = "nobody"


def test_typed_dicts_have_the_keys_that_the_columns_give() -> None:  # R3 R4
    assert made(Keyed, name="a", id=1, extra=2) == {"id": 1, "name": "a"}
    assert made(Keyed, id=1, both=2) == {"id": 1, "both": 2}
    assert made(Partial, must=1, id=1) == {"must": 1, "id": 1}
    assert "Keyed needs field 'id: int'" in refused(Keyed, name="a")
    assert "Partial needs field 'must: int'" in refused(Partial, id=1)
    assert "does not fit field 'name: str' of Keyed" in refused(Keyed, id=1, name=None)


def test_named_tuples() -> None:  # R3
    assert made(Named, name="a", id=1) == Named(1, "a")
    assert made(Named, id=1) == Named(1)
    untyped: Any = collections.namedtuple
    assert made(untyped("Bare", ["id"]), id="anything") == ("anything",)


def test_dicts() -> None:  # R3
    for wanted in (None, dict, dict[str, Any], Mapping[str, Any]):
        assert made(wanted, id=1, name=None) == {"id": 1, "name": None}
    assert made(dict[str, float], a=1, b=2.5) == {"a": 1.0, "b": 2.5}
    assert "column 'b' (str)" in refused(dict[str, int], a=1, b="x")


def test_tuples() -> None:  # R3
    for wanted in (tuple, tuple[Any, ...], tuple[int, str]):
        assert made(wanted, id=1, name="a") == (1, "a")
    assert "column 'name' (str) does not fit int" in refused(tuple[int, ...], id=1, name="a")
    assert "takes 1 column, the statement gives 2: id, name" in refused(tuple[int], id=1, name="a")


# Plain types


def test_plain_types_take_one_column() -> None:  # R3
    assert made(int, n=1) == 1
    assert made(int | None, n=None) is None
    assert made(list[int], n="[1]") == [1]
    assert made(Any, n="x") == "x"
    assert refused(int, a=1, b=2) == (
        "int takes 1 column, the statement gives 2: a, b. "
        "Select exactly what the type takes, or ask for another schema_type."
    )
    assert "Row 1: column 'n' (NoneType) does not fit int." in refused(int, n=None)


UserAlias = TypeAliasType("UserAlias", User)


def test_aliases_of_types() -> None:
    assert made(UserAlias, id=1) == made(Annotated[User, "doc"], id=1) == User(1)


# Generics


@dataclass
class Page(Generic[T]):
    item: T
    rest: list[T] = field(default_factory=list[T])


@dataclass
class NumberPage(Page[int]):
    total: int = 0


class Envelope(msgspec.Struct, Generic[T, U]):
    item: T
    other: U


@dataclass
class Final_:
    id: Final[int] = 0


def test_type_variables_are_what_the_class_makes_of_them() -> None:
    assert made(Page[int], item=1) == Page(1)
    assert made(NumberPage, item=1, rest="[2]") == NumberPage(1, [2])
    assert made(Envelope[int, str], item=1, other="a") == Envelope(1, "a")
    assert made(Page, item="anything") == Page("anything")
    assert made(Final_, id=1) == Final_(1)
    assert "field 'item: int'" in refused(Page[int], item="a")
    assert "field 'item: int'" in refused(NumberPage, item="a")
    assert "field 'other: str'" in refused(Envelope[int, str], item=1, other=1)


# What is no schema type


class Nothing:
    pass


@dataclass
class Unresolved:
    id: Unknown


@pytest.mark.parametrize("wanted", [Nothing, "User", 5, print, typing.Protocol])
def test_other_things_are_refused_with_the_kinds_there_are(wanted: Any) -> None:
    with pytest.raises(ImproperConfigurationError, match="A schema type is a dataclass, a msgspec Struct"):
        made(wanted, id=1)


def test_a_value_instead_of_a_type_is_not_shown() -> None:  # E5
    with pytest.raises(ImproperConfigurationError, match="an object of type Sealed") as caught:
        made(Sealed(id=1, name="secret"), id=1)
    assert "secret" not in str(caught.value)


def test_what_is_unhashable_is_no_type() -> None:
    with pytest.raises(ImproperConfigurationError, match="type list is none"):
        made([int], id=1)


def test_annotations_for_type_checkers_only_are_told() -> None:
    with pytest.raises(ImproperConfigurationError, match="'Unknown', which can't be found at run time"):
        made(Unresolved, id=1)
