from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from datasources.simulator.oulad import import_oulad
from datasources.simulator.oulad_files import OuladError
from datasources.simulator.oulad_people import oulad_id

if TYPE_CHECKING:
    from pathlib import Path

COURSE = "AAA_2013J"
ORIGINAL = {
    "courses": """
"code_module","code_presentation","module_presentation_length"
"AAA","2013J","268"
"CCC","2014B","241"
""",
    "studentInfo": """
"code_module","code_presentation","id_student","gender","region","highest_education","imd_band","age_band","num_of_prev_attempts","studied_credits","disability","final_result"
"AAA","2013J","101","F","Wales","A Level or Equivalent","20-30%","0-35","0","60","N","Pass"
"AAA","2013J","102","M","Wales","HE Qualification","?","35-55","1","120","N","Withdrawn"
"AAA","2013J","103","M","Ireland","HE Qualification","","55<=","0","30","N","Fail"
"CCC","2014B","104","M","Scotland","HE Qualification","","55<=","0","30","N","Fail"
""",
    "studentRegistration": """
"code_module","code_presentation","id_student","date_registration","date_unregistration"
"AAA","2013J","101","-40",""
"AAA","2013J","102","?","-12"
"AAA","2013J","103","-10",""
"CCC","2014B","104","-10",""
""",
    "assessments": """
"code_module","code_presentation","id_assessment","assessment_type","date","weight"
"AAA","2013J","3","Exam","","100"
"AAA","2013J","2","TMA","54","30"
"AAA","2013J","1","TMA","19","10"
"AAA","2013J","4","CMA","60","0"
"CCC","2014B","9","TMA","20","10"
""",
    "studentAssessment": """
"id_assessment","id_student","date_submitted","is_banked","score"
"1","101","18","0","78"
"2","101","140","0","90"
"4","101","60","0",""
"1","103","-1","1","55"
"9","104","18","0","78"
""",
    "vle": """
"id_site","code_module","code_presentation","activity_type","week_from","week_to"
"501","AAA","2013J","resource","",""
"502","AAA","2013J","forumng","",""
"503","AAA","2013J","quiz","",""
"504","AAA","2013J","homepage","",""
"601","CCC","2014B","quiz","",""
""",
    "studentVle": """
"code_module","code_presentation","id_student","id_site","date","sum_click"
"AAA","2013J","101","502","5","3"
"AAA","2013J","101","501","-2","4"
"AAA","2013J","101","502","5","1"
"AAA","2013J","999","501","5","1"
"CCC","2014B","104","601","5","1"
""",
}
SAMPLE = {
    "courses": """
course_id,code_module,code_presentation,domain,assumed_start,length_days,daily_vle_last_day
AAA_2013J,AAA,2013J,Social Sciences,2013-10-01,268,268.0
""",
    "enrollments": """
course_id,id_student,region,highest_education,age_band,num_of_prev_attempts,studied_credits,date_registration,date_unregistration,final_result
AAA_2013J,101,Wales,A Level or Equivalent,0-35,0,60,-40.0,,Pass
AAA_2013J,102,Wales,HE Qualification,35-55,1,120,,-12.0,Withdrawn
AAA_2013J,103,Ireland,HE Qualification,55<=,0,30,-10.0,,Fail
""",
    "assessments": """
course_id,id_assessment,assessment_type,due_day,weight,counts
AAA_2013J,1,TMA,19.0,10.0,True
AAA_2013J,2,TMA,54.0,30.0,True
AAA_2013J,4,CMA,60.0,0.0,False
AAA_2013J,3,Exam,,100.0,False
""",
    "submissions": """
course_id,id_student,id_assessment,date_submitted,is_banked,score
AAA_2013J,101,1,18,0,78.0
AAA_2013J,101,2,140,0,90.0
AAA_2013J,101,4,60,0,
AAA_2013J,103,1,-1,1,55.0
""",
    "resources": """
course_id,id_site,activity_type,week_from,week_to
AAA_2013J,501,resource,,
AAA_2013J,502,forumng,,
AAA_2013J,503,quiz,,
AAA_2013J,504,homepage,,
""",
    "interactions": """
course_id,id_student,id_site,date,clicks
AAA_2013J,101,501,-2,4
AAA_2013J,101,502,5,4
""",
}
ONET = """
technology,commodity_code,commodity_title,occupations,hot,in_demand_occupations,occupation_share
C,1,Languages,40,1,9,0.1
C#,1,Languages,30,0,2,0.1
C,2,Compilers,10,0,0,0.1
"""


def laid_out(directory: Path, files: dict[str, str], *, zipped: bool = False) -> Path:
    directory.mkdir()
    for name, text in files.items():
        content = text.lstrip().encode()
        path = directory / f"{name}.csv{'.gz' if zipped else ''}"
        path.write_bytes(gzip.compress(content) if zipped else content)
    return directory


def test_both_layouts_tell_of_the_same_campus(tmp_path: Path) -> None:
    original = import_oulad(laid_out(tmp_path / "original", ORIGINAL), [COURSE])
    assert import_oulad(laid_out(tmp_path / "zipped", ORIGINAL, zipped=True), [COURSE]) == original
    assert import_oulad(laid_out(tmp_path / "sample", SAMPLE, zipped=True)) == original


def test_courses_and_work_are_what_the_files_say(tmp_path: Path) -> None:
    campus = import_oulad(laid_out(tmp_path / "sample", SAMPLE))
    [course] = campus.courses
    assert (course.id, course.start.date().isoformat(), course.length_days) == (COURSE, "2013-10-01", 268)
    assert [(task.id, task.title, task.counts, task.skills) for task in course.tasks] == [
        ("1", "AAA TMA 1", True, ("AAA-TMA1",)),
        ("2", "AAA TMA 2", True, ("AAA-TMA2",)),
        ("4", "AAA CMA 1", False, ()),
        ("3", "AAA Exam 1", False, ()),
    ]
    assert [item.kind for item in course.items] == ["content", "forum", "quiz", "other"]
    first = campus.registrations[0]
    assert first.person == oulad_id("student", "101")
    assert first.clicks == ((0, -2, 4), (1, 5, 4))
    assert [(work.task, work.day, work.score, work.banked) for work in first.submissions] == [
        ("1", 18, 78.0, False),
        ("2", 140, 90.0, False),
        ("4", 60, None, False),
    ]


def test_a_registration_without_a_date_begins_with_what_is_known(tmp_path: Path) -> None:
    [_, second, third] = import_oulad(laid_out(tmp_path / "sample", SAMPLE)).registrations
    assert (second.enrolled_day, second.left_day) == (-12, -12)
    assert (third.enrolled_day, third.left_day) == (-10, None)


def test_final_results_are_those_of_the_files(tmp_path: Path) -> None:
    campus = import_oulad(laid_out(tmp_path / "sample", SAMPLE))
    assert [one.result for one in campus.registrations] == ["passed", None, "failed"]
    assert {person.time_zone for person in campus.people if "learner" in person.roles} == {"Europe/London"}


def test_a_copy_without_final_results_tells_none(tmp_path: Path) -> None:
    rows = [line.rpartition(",")[0] for line in SAMPLE["enrollments"].strip().splitlines()]
    campus = import_oulad(laid_out(tmp_path / "sample", {**SAMPLE, "enrollments": "\n".join(rows)}))
    assert [one.result for one in campus.registrations] == [None] * 3


def test_a_final_result_of_another_kind_is_named_with_its_line(tmp_path: Path) -> None:
    wrong = SAMPLE["enrollments"].replace("Pass", "Splendid")
    with pytest.raises(OuladError, match=r"enrollments\.csv, line 2: Splendid"):
        import_oulad(laid_out(tmp_path / "d", {**SAMPLE, "enrollments": wrong}))


def test_regions_become_tenants_with_staff_of_their_own(tmp_path: Path) -> None:
    campus = import_oulad(laid_out(tmp_path / "sample", SAMPLE))
    home = {one.id: one.name for one in campus.organizations}
    people = {person.name: person for person in campus.people}
    assert set(people) == {
        "Learner 101",
        "Learner 102",
        "Learner 103",
        f"Module team {COURSE}, Ireland",
        f"Module team {COURSE}, Wales",
        "Organization admin, Ireland (synthetic)",
        "Organization admin, Wales (synthetic)",
    }
    assert {name for name, one in people.items() if home[one.organization] == "Ireland"} == {
        name for name in people if "Ireland" in name
    } | {"Learner 103"}
    assert set(campus.courses[0].trainers) == {one.id for one in people.values() if "trainer" in one.roles}
    assert {
        role: home[next(p for p in campus.people if p.id == key).organization] for role, key in campus.cast.items()
    } == {
        "learner": "Wales",
        "trainer": "Wales",
        "org-admin": "Wales",
        "stranger": "Ireland",
    }
    assert campus.cast["learner"] == people["Learner 101"].id


def test_a_pass_is_asked_in_each_competence_of_courses_not_left(tmp_path: Path) -> None:
    campus = import_oulad(laid_out(tmp_path / "sample", SAMPLE))
    required = {person.name: person.required for person in campus.people}
    assert required["Learner 101"] == (("AAA-TMA1", 40.0, 1 / 3), ("AAA-TMA2", 40.0, 1.0))
    assert required["Learner 102"] == ()


def test_key_figures_are_worked_out_as_of_the_clock(tmp_path: Path) -> None:
    campus = import_oulad(laid_out(tmp_path / "sample", SAMPLE))
    values = {one.name: [kpi.value for kpi in one.kpis] for one in campus.organizations}
    assert values == {
        "Wales": [50.0, 50.0],  # one of two left; of two assignments due by day 132, the second came on day 140
        "Ireland": [100.0, 0.0],  # the first assignment is banked, so only the second was due, and it never came
    }


def test_where_no_coursework_weighs_all_of_it_counts_alike(tmp_path: Path) -> None:
    light = SAMPLE["assessments"].replace(",10.0,", ",0.0,").replace(",30.0,", ",0.0,")
    [course] = import_oulad(laid_out(tmp_path / "sample", {**SAMPLE, "assessments": light})).courses
    assert [(task.weight, task.counts) for task in course.tasks] == [(1.0, True)] * 3 + [(100.0, False)]


def test_demand_has_ids_of_its_own_and_counts_a_technology_once(tmp_path: Path) -> None:
    campus = import_oulad(laid_out(tmp_path / "sample", {**SAMPLE, "onet_technology_demand": ONET}))
    assert [(one.skill, one.name, one.count, one.in_demand, one.hot) for one in campus.demand] == [
        ("onet-c", "C", 40, 9, True),
        ("onet-c-sharp", "C#", 30, 2, False),
    ]
    assert import_oulad(laid_out(tmp_path / "without", SAMPLE)).demand == ()


@pytest.mark.parametrize("name", [*ORIGINAL])
def test_a_missing_file_is_named_with_what_it_should_hold(tmp_path: Path, name: str) -> None:
    directory = laid_out(tmp_path / "d", {key: text for key, text in ORIGINAL.items() if key != name})
    with pytest.raises(OuladError, match=name):
        import_oulad(directory, [COURSE])


@pytest.mark.parametrize("name", [*SAMPLE])
def test_a_missing_column_is_named_with_those_that_are_there(tmp_path: Path, name: str) -> None:
    directory = laid_out(tmp_path / "d", {**SAMPLE, name: "\nsomething,else\n1,2\n"})
    with pytest.raises(OuladError, match=rf"{name}\.csv has no column .*; it has something, else"):
        import_oulad(directory)


def test_a_value_that_makes_no_sense_is_named_with_its_line(tmp_path: Path) -> None:
    wrong = SAMPLE["submissions"].replace("101,2,140", "101,2,soon")
    directory = laid_out(tmp_path / "d", {**SAMPLE, "submissions": wrong})
    with pytest.raises(OuladError, match=r"submissions\.csv, line 3: .*soon"):
        import_oulad(directory)


def test_a_row_that_breaks_off_is_named_with_its_line(tmp_path: Path) -> None:
    directory = laid_out(tmp_path / "d", {**SAMPLE, "interactions": SAMPLE["interactions"] + "AAA_2013J,101\n"})
    with pytest.raises(OuladError, match=r"interactions\.csv, line 4"):
        import_oulad(directory)


def test_a_click_on_an_unlisted_site_is_named_with_its_line(tmp_path: Path) -> None:
    directory = laid_out(tmp_path / "d", {**SAMPLE, "interactions": SAMPLE["interactions"] + "AAA_2013J,101,7,1,1\n"})
    with pytest.raises(OuladError, match=r"line 4: site 7 is not listed in resources"):
        import_oulad(directory)


BROKEN = {
    "no gzip": b"not gzip at all",
    "cut off": gzip.compress(b"a" * 1000, mtime=0)[:20],
    "no text": gzip.compress(b"\xff\xfe", mtime=0),
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_an_unreadable_file_is_named(tmp_path: Path, content: bytes) -> None:
    directory = laid_out(tmp_path / "d", SAMPLE, zipped=True)
    (directory / "resources.csv.gz").write_bytes(content)
    with pytest.raises(OuladError, match=r"resources\.csv\.gz cannot be read"):
        import_oulad(directory)


def test_a_directory_without_any_of_it_is_told_what_should_be_there(tmp_path: Path) -> None:
    for directory in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(OuladError, match="studentInfo"):
            import_oulad(directory)


def test_an_absent_presentation_is_named_with_those_that_are_there(tmp_path: Path) -> None:
    with pytest.raises(OuladError, match="no presentation BBB_2013B; there are AAA_2013J, CCC_2014B"):
        import_oulad(laid_out(tmp_path / "d", ORIGINAL), [COURSE, "BBB_2013B"])
