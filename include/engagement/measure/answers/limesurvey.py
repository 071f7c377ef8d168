"""Fetches the answers that a LimeSurvey server holds, through its Remote Control API."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

from engagement import clock
from engagement.errors import EngagementError
from engagement.measure.answers import Imported, import_file
from engagement.measure.campaign import Campaign

_PATIENCE_S = 300.0  # LimeSurvey works on a large export before it says anything


@dataclass(frozen=True)
class Server:
    """A LimeSurvey server.

    Attributes:
        url: of the API, as https://survey.example.com/index.php/admin/remotecontrol.
        username: of somebody who may export the survey.
        password: of the same.
    """

    url: str
    username: str
    password: str = field(repr=False)


def import_limesurvey(campaign: Campaign, server: Server, survey_id: int) -> Imported:
    """Bring in all complete answers of a survey; see `import_file`.

    The export is vouched for until the moment at which it is asked for. Headings and answers are
    LimeSurvey's codes: the form's codes, or what its YAML names under column and also.
    https://manual.limesurvey.org/RemoteControl_2_API

    Raises:
        EngagementError: the server does not answer, or refuses; else as `import_file`.
    """
    asked_at = clock.now()
    with TemporaryDirectory(prefix="engagement-") as folder:  # nobody else may look into it
        path = Path(folder) / f"limesurvey-{survey_id}.csv"
        path.write_bytes(_export(server, survey_id))
        return import_file(campaign, path, exported_at=asked_at)


def _export(server: Server, survey_id: int) -> bytes:
    import requests
    from citric import Client
    from citric.exceptions import LimeSurveyApiError, LimeSurveyStatusError

    host = urlsplit(server.url).hostname
    try:
        with Client(
            server.url, server.username, server.password, requests_session=_patient()
        ) as client:
            return client.export_responses(
                survey_id,
                file_format="csv",
                completion_status="complete",
                heading_type="code",
                response_type="short",
            )
    except (LimeSurveyStatusError, LimeSurveyApiError) as error:  # LimeSurvey's own fixed words
        raise EngagementError(
            f"LimeSurvey at {host} does not give the answers of survey {survey_id}: {error}; correct "
            "user and password of the connection limesurvey, or survey_id of the campaign, or wait for the first answer."
        ) from None
    except requests.RequestException as error:
        raise EngagementError(
            f"LimeSurvey at {host} does not answer ({type(error).__name__}); see that it runs and that the url of "
            "the connection is right."
        ) from None
    except Exception as error:  # what was raised may quote an answer
        raise EngagementError(
            f"LimeSurvey at {host} gives no export ({type(error).__name__}); see that the url ends in "
            "index.php/admin/remotecontrol and that its global settings allow JSON-RPC."
        ) from None


def _patient() -> Any:
    """Return an HTTP client that gives up at some time."""
    import requests

    class Patient(requests.Session):
        def request(self, *args: Any, **options: Any) -> requests.Response:
            return super().request(*args, **options | {"timeout": _PATIENCE_S})

    return Patient()
