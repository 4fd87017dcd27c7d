"""Forms that several rooms use."""

from django import forms


class AttachmentForm(forms.Form):
    file = forms.FileField(
        label="File", help_text="PDF, PNG, JPG, WebP, TIFF, docx, xlsx, csv or txt."
    )
