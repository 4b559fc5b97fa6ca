"""E-mail by Django's own way: SMTP, or Brevo where its key is set."""

import time
from collections.abc import Sequence

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from systemstatus.notify import words
from systemstatus.notify.channels import Message
from telemetry import outbound


def deliver(message: Message) -> str:
    """Send one e-mail to everybody named; raises what the backend raises."""
    subject, text = words.subject(message.body), words.text(message.body)
    return send(subject, text, settings.ALERT_EMAIL_TO, message_id=message.id, html=message.body.get("html"))


def send(subject: str, text: str, to: Sequence[str], *, message_id: str, html: str | None = None) -> str:
    """Send a text, with HTML beside it where given; the id goes along, so that a repeat can be told."""
    mail = EmailMultiAlternatives(
        " ".join(subject.split())[:200], text, to=list(to), headers={"X-HealthPilot-Message": message_id}
    )
    if html:
        mail.attach_alternative(html, "text/html")
    began, outcome = time.monotonic(), "failed"
    name = "brevo" if "brevo" in settings.EMAIL_BACKEND else "smtp"
    try:
        # The mail server by SMTP may well be this machine; a service in the internet never is.
        with outbound.guarding(allows_private=settings.ALERT_ALLOW_PRIVATE or name == "smtp"):
            mail.send()
        outcome = "2xx"
    finally:
        outbound.observe(name, outcome, (time.monotonic() - began) * 1000)
    return f"handed over for {len(to)} {'address' if len(to) == 1 else 'addresses'}"
